"""Imports: a CSV file of people, read as a stream; good rows are taken, bad ones are named with line and reason."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sqlmodel import Session

from subscribers import consent, joining, profiles
from subscribers.errors import BadRow, BadValue, Refused
from subscribers.joining import Outcome
from subscribers.lists import ids_of
from subscribers.profiles import Profile
from subscribers.tokens import Keyring

_CHUNK = 2000
_FIELDS = ("name", "language", "country", "audience")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A good row: the line where it begins, and what it says."""

    line: int
    profile: Profile


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A bad row: the line where it begins, the value that is wrong, and why."""

    line: int
    value: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What became of the rows; each counts once.

    `kept_out` are known subscribers who had left one of the lists and stay off it; `suppressed` rows wrote nothing.
    """

    added: int
    updated: int
    unchanged: int
    rejected: tuple[Reject, ...]
    suppressed: int
    kept_out: int


def load(
    session: Session, source: Path | TextIO, *, lists: Sequence[str], basis: str, keyring: Keyring,
    now: datetime, dry_run: bool = False, progress: Callable[[int], None] = lambda rows: None,
) -> ImportResult:  # fmt: skip
    """Put the people of a CSV file on the lists, `basis` saying how they agreed; a dry run only counts.

    A file that cannot be read to its end raises BadRow and writes nothing. Of rows with one address the first counts,
    the others are rejected. `progress` is told how many rows were handled so far.
    """
    on = ids_of(session, lists)
    basis = consent.basis(basis)
    counts: Counter[Outcome] = Counter()
    rejected: list[Reject] = []
    lines: dict[str, int] = {}
    rows = read(source)
    handled = 0
    with session.begin_nested() as savepoint:
        while chunk := list(itertools.islice(rows, _CHUNK)):
            people = list(_good(chunk, lines, rejected))
            counts.update(joining.join(session, people, on=on, method="import", basis=basis, keyring=keyring, now=now))
            handled += len(chunk)
            progress(handled)
        if dry_run:
            savepoint.rollback()
    return ImportResult(
        added=counts[Outcome.ADDED], updated=counts[Outcome.UPDATED], unchanged=counts[Outcome.UNCHANGED],
        rejected=tuple(rejected), suppressed=counts[Outcome.SUPPRESSED], kept_out=counts[Outcome.KEPT_OUT],
    )  # fmt: skip


def _good(rows: Sequence[Row | Reject], lines: dict[str, int], rejected: list[Reject]) -> Iterator[Profile]:
    """Yield the profiles to take; note where each address stands, and what is rejected."""
    for row in rows:
        if isinstance(row, Reject):
            rejected.append(row)
            continue
        address = row.profile.address
        first = lines.setdefault(address.key, row.line)
        if first == row.line:
            yield row.profile
        else:
            rejected.append(
                Reject(line=row.line, value=address.email, reason=f"line {first} already names this address")
            )


def write_rejects(path: Path, rejected: Sequence[Reject]) -> None:
    """Write the rejected rows as CSV, a line each; raise Refused where that cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("line", "value", "reason"))
            writer.writerows((reject.line, reject.value, reject.reason) for reject in rejected)
    except OSError as error:
        raise Refused(f"the rejects cannot be written to {path}: {error.strerror}; name another file") from error


def read(source: Path | TextIO) -> Iterator[Row | Reject]:
    """Yield each row of a CSV file as it is read, good or bad; raise BadRow for what is no such file.

    UTF-8 with or without its mark, a header that names `email`, separated by comma, semicolon, tab or bar. Topics are
    separated by semicolons; a column that is none of ours becomes an attribute.
    """
    name = str(source) if isinstance(source, Path) else getattr(source, "name", "the input")
    try:
        if isinstance(source, Path):
            with source.open(encoding="utf-8", newline="") as stream:
                yield from _rows(stream, name)
        else:
            yield from _rows(source, name)
    except UnicodeDecodeError as error:
        raise BadRow(f"{name} is no UTF-8 text; save it as UTF-8 and import it again; nothing was written") from error
    except OSError as error:
        raise BadRow(f"{name} cannot be read: {error.strerror}; nothing was written") from error


def _rows(stream: TextIO, name: str) -> Iterator[Row | Reject]:
    first = stream.readline().removeprefix("\ufeff")
    if not first.strip():
        raise BadRow(f"{name} has no first line that names the columns, `email` among them; nothing was written")
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(itertools.chain([first], stream), delimiter=delimiter, strict=True)
    columns: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            # The module says so only when the file ends inside quotes: everything after the line would be lost.
            if not columns or "unexpected end" in str(error):
                raise BadRow(
                    f"{name}, line {line}: a quote is opened and never closed; mend it; nothing was written"
                ) from error
            yield Reject(line=line, value="", reason=f"no CSV: {error}")
            continue
        if not columns:
            columns = _columns(cells, name)
        elif any(cell.strip() for cell in cells):
            yield _row(line, cells, columns)


def _columns(cells: Sequence[str], name: str) -> list[str]:
    """Return the columns by the names of fields and attributes: lower case, underscores for anything else."""
    columns = [re.sub(r"\W+", "_", cell.strip().lower()).strip("_") for cell in cells]
    if "email" not in columns:
        raise BadRow(
            f"{name} has no column `email` (it has: {', '.join(cell.strip()[:40] for cell in cells)}); "
            "give the column of addresses that name in the first line; nothing was written"
        )
    for place, (column, cell) in enumerate(zip(columns, cells, strict=True), 1):
        if not column.isidentifier() or column in columns[: place - 1]:
            raise BadRow(
                f"{name}, line 1: column {place} is called {cell[:40]!r}; a column needs a name of its own that begins "
                "with a letter; nothing was written"
            )
    return columns


def _row(line: int, cells: Sequence[str], columns: Sequence[str]) -> Row | Reject:
    if len(cells) != len(columns):
        reason = f"{len(cells)} values under {len(columns)} columns; quote a value that holds the separator"
        return Reject(line=line, value=cells[0], reason=reason)
    given = dict(zip(columns, cells, strict=True))
    try:
        profile = profiles.check(
            given.pop("email"), topics=_topics(given.pop("topics", "")),
            **{field: given.pop(field, "") for field in _FIELDS}, attributes=given,
        )  # fmt: skip
    except BadValue as error:
        return Reject(line=line, value=error.value, reason=error.reason)
    return Row(line=line, profile=profile)


def _topics(cell: str) -> list[str]:
    return [topic for topic in cell.split(";") if topic.strip()]
