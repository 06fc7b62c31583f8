"""How commands speak: tables and JSON on stdout, everything else on stderr, questions only to people."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from newsletter.errors import Refused


def emit(value: Any) -> None:
    """Print one JSON document on stdout."""
    write(document(value))


def document(value: Any) -> str:
    """Return a value as the text of one JSON document."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def say(text: str) -> None:
    """Print one line for the person on stdout."""
    print(text)


def write(text: str) -> None:
    """Print a document on stdout just as it is."""
    sys.stdout.write(text)


def note(text: str) -> None:
    """Print one line on stderr: progress, and what is good to know."""
    print(text, file=sys.stderr)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows under their columns, or the sentence that says why there are none."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if not rows:
        say(empty)
        return
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numbers = all(isinstance(row[columns.index(column)], int) for row in rows)
        grid.add_column(column, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(_cell(value)) for value in row))
    wide = None if sys.stdout.isatty() else 160
    Console(width=wide).print(grid)


def findings(found: Sequence[Any], *, empty: str) -> None:
    """Print findings, each with its severity, rule, place, reason and next step."""
    rows = [(each.severity, each.rule, each.where, each.message, each.next) for each in found]
    table(("severity", "rule", "where", "why", "next"), rows, empty=empty)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar on stderr where somebody watches; the block tells it how much is done, and of how much if it knows."""
    if not sys.stderr.isatty():
        yield lambda done, size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(label, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, size: bar.update(task, completed=done, total=size)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (list, tuple)):
        return ", ".join(str(each) for each in value)
    return str(value)


def ask(question: str, *, yes: bool) -> None:
    """Go on after a yes; refuse after a no, and where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{question} Nobody can be asked here (stdin is no terminal); say yes with --yes")
    if not typer.confirm(question, err=True):
        raise Refused("nothing was done")
