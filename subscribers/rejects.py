"""Rejects: the rows that an import did not take, with line and reason, and the file they are written to."""

import csv
import io
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


class Sheet:
    """A CSV file of rejects that grows while an import goes on; `size` is how far it was written, in bytes."""

    def __init__(self, path: Path, *, kept: int = 0) -> None:
        """Open the file, with what an import before us had committed of it; raise Refused where that cannot be."""
        self._path = path
        try:
            self._file = path.open("r+b" if kept and path.exists() else "wb")
            self._file.truncate(kept if self._file.seek(0, io.SEEK_END) >= kept else 0)
            self.size = self._file.seek(0, io.SEEK_END)
        except OSError as error:
            raise self._refusal(error) from error
        if not self.size:
            self._write([("line", "value", "reason")])

    def add(self, rejects: Iterable[Reject]) -> None:
        """Write a line for each."""
        self._write((each.line, formulas.guarded(each.value), formulas.guarded(each.reason)) for each in rejects)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _write(self, rows: Iterable[Iterable[object]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        try:
            self._file.write(text.getvalue().encode("utf-8", "backslashreplace"))
            self._file.flush()
        except OSError as error:
            raise self._refusal(error) from error
        self.size = self._file.tell()

    def _refusal(self, error: OSError) -> Refused:
        return Refused(f"the rejects cannot be written to {self._path}: {error.strerror}; name another file")
