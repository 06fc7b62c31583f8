"""Formulas: cells that a spreadsheet would run, guarded on the way out and bare again on the way in.

An apostrophe in front makes a spreadsheet take a cell for text (OWASP, CSV injection); one that has it already gets
another, so that taking one off gives back what was.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guarded(cell: str) -> str:
    """Return the cell as no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def bare(cell: str) -> str:
    """Return the cell without its guard, if it has one."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
