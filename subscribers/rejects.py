"""Rejects: the rows that an import did not take, with line and reason, and the file they are written to."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from subscribers import formulas
from subscribers.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A bad row: the line where it begins, the value that is wrong, and why."""

    line: int
    value: str
    reason: str


def require_writable(path: Path) -> None:
    """Raise Refused where no rejects can be written to; what stands there stays, and nothing is left."""
    stood = path.exists()
    try:
        path.open("ab").close()
        if not stood:
            path.unlink()
    except OSError as error:
        raise _refusal(path, error) from error


class Sheet:
    """A CSV file of rejects that grows while an import goes on, begun anew where it goes on after another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise _refusal(path, error) from error
        self._write([("line", "value", "reason")])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, rejects: Iterable[Reject]) -> None:
        """Write a line for each."""
        self._write((each.line, formulas.guarded(each.value), formulas.guarded(each.reason)) for each in rejects)

    def _write(self, rows: Iterable[Iterable[object]]) -> None:
        try:
            csv.writer(self._file).writerows(rows)
            self._file.flush()
        except OSError as error:
            raise _refusal(self._path, error) from error


def _refusal(path: Path, error: OSError) -> Refused:
    return Refused(f"the rejects cannot be written to {path}: {error.strerror}; name another file")
