"""What the rule on drift looks for: sources that say something else than when the text was approved, or are gone."""

from collections.abc import Iterator

from newsletter.editorial.document import Document
from newsletter.editorial.evidence import Drift, Evidence
from newsletter.editorial.rules import Remark


def unchanged_sources(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """X3: the sources say what they said when the text was approved, as far as somebody could look."""
    for drift in seen.drift:
        if drift.unseen:
            yield Remark(_at(drift), f"nobody could look at {drift.name} again: {drift.told}", "open it in a browser")
        elif not drift.gone:
            told = "was corrected by its publisher" if drift.corrected else "reads otherwise"
            more = f" ({drift.told})" if drift.told else ""
            yield Remark(
                _at(drift), f"{drift.name} {told} since the approval{more}", "read it again, and correct the text"
            )


def living_sources(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """X3: the sources are still there."""
    for drift in seen.drift:
        if drift.gone:
            told = f"{drift.name} is gone since the approval: {drift.told}"
            yield Remark(_at(drift), told, "cite another page, and have the text approved anew")


def _at(drift: Drift) -> str:
    return f"sources {drift.source}"
