"""Sources: a file of people, read as a stream of records, whatever wrote it.

CSV in any dialect, or JSON Lines (one object a line); UTF-8, UTF-16 with its mark, or a named encoding.
"""

import csv
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from subscribers.errors import BadRow

#: A field may be this long: longer ones come from a quote that was never closed.
_LONGEST = 1_000_000
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",;\t|"

#: The line where a record begins, and its cells, or in their place the reason why it is none.
Line = tuple[int, Sequence[str] | str]


class Format(StrEnum):
    """How a file holds its records."""

    #: comma-separated values and their kin
    CSV = "csv"
    #: JSON Lines: one object a line
    JSONL = "jsonl"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a CSV file is written; what is empty is found out."""

    delimiter: str = ""
    quote: str = '"'
    escape: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that was read to its end once: `columns` as its first line has them, `rows` after it, `sha256` of all."""

    path: Path
    format: Format
    encoding: str
    dialect: Dialect
    columns: tuple[str, ...]
    rows: int
    sha256: str

    def records(self) -> Iterator[Line]:
        """Yield each record with the line where it begins; a short or long one has fewer or more cells than columns."""
        with self.path.open(encoding=self.encoding, newline="") as stream:
            if self.format is Format.CSV:
                yield from itertools.islice(_csv(stream, self.dialect, self.path.name), 1, None)
            else:
                yield from _json(stream, self.columns, self.path.name)


def scan(path: Path, *, format: Format | None = None, encoding: str = "", dialect: Dialect | None = None) -> Source:
    """Read a file to its end, so that nothing of it is taken when it cannot be read; raise BadRow then."""
    try:
        with path.open("rb") as file:
            start = file.read(65536)
            digest = hashlib.sha256(start)
            while block := file.read(1 << 20):
                digest.update(block)
        format = format or _format(path, start)
        marked = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        encoding = marked if encoding.lower() in ("", "utf-8", "utf8") else encoding
        with path.open(encoding=encoding, newline="") as stream:
            if format is Format.CSV:
                dialect = _dialect(stream, dialect or Dialect())
                columns, rows = _count(_csv(stream, dialect, path.name), path.name)
            else:
                columns, rows = _names(stream, path.name)
    except UnicodeError as error:
        raise BadRow(_undecodable(path, encoding)) from error
    except LookupError as error:
        raise BadRow(f"there is no encoding called {encoding!r}; try utf-8 or cp1252") from error
    except OSError as error:
        raise BadRow(f"{path} cannot be read: {error.strerror or error}; nothing was written") from error
    return Source(
        path=path, format=format, encoding=encoding, dialect=dialect or Dialect(), columns=columns, rows=rows,
        sha256=digest.hexdigest(),
    )  # fmt: skip


def _format(path: Path, start: bytes) -> Format:
    if path.suffix.lower() in (".jsonl", ".ndjson") or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return Format.JSONL
    return Format.CSV


def _dialect(stream: TextIO, given: Dialect) -> Dialect:
    """Return the dialect with its delimiter, found in the first line that holds anything; rewind the stream."""
    first = next((line for line in stream if line.strip("\ufeff \t\r\n")), "")
    stream.seek(0)
    if given.delimiter:
        return given
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # how Excel is told
        return Dialect(delimiter=first.strip()[4], quote=given.quote, escape=given.escape)
    bare = "".join(first.split(given.quote)[::2]) if given.quote else first
    return Dialect(delimiter=max(_DELIMITERS, key=bare.count), quote=given.quote, escape=given.escape)


def _csv(stream: TextIO, dialect: Dialect, name: str) -> Iterator[Line]:
    """Yield the records that hold anything, the header first."""
    csv.field_size_limit(_LONGEST)
    try:
        reader = csv.reader(
            stream, delimiter=dialect.delimiter, quotechar=dialect.quote or None, escapechar=dialect.escape or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE, doublequote=not dialect.escape, strict=True,
        )  # fmt: skip
    except (TypeError, ValueError) as error:
        raise BadRow(f"{name} cannot be read so: {error}; give one character each") from error
    begun, excel = False, f"sep={dialect.delimiter}"
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # At the end of the file or of all patience everything after the quote would be lost.
            if not begun or "unexpected end" in str(error) or "larger than" in str(error):
                raise BadRow(
                    f"{name}, line {line}: a quote is opened and never closed; mend it, or say how the file is written "
                    "(--delimiter, --quote, --escape); nothing was written"
                ) from error
            yield line, f"no CSV: {error}"
            continue
        if not begun and dialect.delimiter.join(cells).lower() in (excel, f"{excel}{dialect.delimiter}"):
            continue
        if any(map(str.strip, cells)):
            begun = True
            yield line, cells


def _count(records: Iterator[Line], name: str) -> tuple[tuple[str, ...], int]:
    header = next(records, None)
    if header is None:
        raise BadRow(f"{name} has no first line that names the columns, `email` among them; nothing was written")
    return tuple(cell.strip() for cell in header[1]), sum(1 for _ in records)


def _names(stream: TextIO, name: str) -> tuple[tuple[str, ...], int]:
    """Return every key that any object has, in the order met, and how many objects there are."""
    names: dict[str, None] = {}
    rows = 0
    for _, given in _objects(stream, name):
        names.update(dict.fromkeys(given))
        rows += 1
        if len(names) > 500:
            raise BadRow(f"{name} names more than 500 different keys; is it JSON Lines of people? nothing was written")
    if not rows:
        raise BadRow(f"{name} holds no records; nothing was written")
    return tuple(names), rows


def _json(stream: TextIO, columns: Sequence[str], name: str) -> Iterator[Line]:
    for line, given in _objects(stream, name):
        yield line, [_cell(given.get(column)) for column in columns]


def _objects(stream: TextIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, text in enumerate(stream, 1):
        if not text.strip("\ufeff \t\r\n"):
            continue
        try:
            given = json.loads(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as error:
            raise BadRow(f"{name}, line {line}: this is no JSON ({error}); nothing was written") from error
        if not isinstance(given, dict):
            raise BadRow(f'{name}, line {line}: a line holds one object, such as {{"email": ...}}; nothing was written')
        yield line, given


def _cell(value: Any) -> str:
    """Return a JSON value as the text that a CSV cell would have."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _undecodable(path: Path, encoding: str) -> str:
    """Say where a file stops being text in its encoding, and what it is in the likely other one."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8" if encoding == "utf-8-sig" else encoding)
            except UnicodeError:
                shown = line.decode("cp1252", "replace").strip()[:60]
                return (
                    f"{path.name}, line {number} is no {encoding.upper()} text; as Windows text (cp1252) it reads "
                    f"{shown!r}; if that is right, say so: --encoding cp1252; nothing was written"
                )
    return f"{path.name} is no {encoding.upper()} text; say which it is: --encoding NAME; nothing was written"
