"""Imports: a file of people, read as a stream; good rows are taken, bad ones are named with line and reason.

Each chunk is one transaction, together with how far the import came: killed anywhere, the same command goes on.
"""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from subscribers import (
    attributes,
    bulk,
    chunks,
    consent,
    handover,
    joining,
    lists,
    mapping,
    reading,
    rejects,
    runs,
    sources,
)
from subscribers.chunks import Chunk
from subscribers.errors import BadRow, Refused
from subscribers.joining import Mode, Outcome, Terms
from subscribers.mapping import Columns
from subscribers.models import AttributeType
from subscribers.reading import Reader
from subscribers.rejects import Reject, Sheet
from subscribers.runs import Run
from subscribers.sources import Dialect, Format, Source
from subscribers.tokens import Keyring

_SHOWN = 20
_TRIES = 5
#: One part in so many of the time is left to others: who waits for SQLite looks for a turn ever more seldom, up to ten
#: times a second, and does not queue.
_SHARE = 20
_DEADLOCK = "40P01"

Open = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of an import: the file and how it is written, what its columns are, whom they go to and why.

    `columns` are said as 'Column=field'; what is empty is found out. `declare` makes text attributes of what nobody
    declared; `rejects` is the file that the rejected rows are written to.
    """

    file: Path
    lists: Sequence[str] = ()
    basis: str = ""
    mode: Mode = Mode.UPDATE
    preset: str = ""
    columns: Sequence[str] = ()
    declare: bool = False
    rejects: Path | None = None
    format: Format | None = None
    encoding: str = ""
    dialect: Dialect = field(default_factory=Dialect)

    def terms(self) -> dict[str, Any]:
        """Return what must be the same for a half-done import to go on."""
        said = {**asdict(self), "rejects": str(self.rejects or ""), "lists": [*self.lists], "columns": [*self.columns]}
        return {name: value for name, value in said.items() if name != "file"}


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """What became of the rows; each counts once.

    `kept_out` are known subscribers who had left one of the lists and stay off it; `suppressed` are addresses that must
    not be mailed. `first_rejects` are at most twenty. `resumed_at` is how many rows an import before this had done.
    """

    rows: int
    added: int
    updated: int
    unchanged: int
    rejected: int
    suppressed: int
    kept_out: int
    resumed_at: int
    first_rejects: tuple[Reject, ...]


class _Collision(Exception):
    """Somebody else wrote one of a chunk's people meanwhile."""


def load(
    open: Open, request: Request, *, keyring: Keyring, actor: str = "", now: datetime, dry_run: bool = False,
    restart: bool = False, progress: Callable[[int, int], None] = lambda done, rows: None,
    record: Callable[[Session, ImportResult], None] = lambda session, result: None,
) -> ImportResult:  # fmt: skip
    """Put the people of a file on lists and return what became of them; a dry run only counts.

    `open` opens a transaction that commits at its end, one for each chunk. What is wrong with the request or the whole
    file is raised before anything is written. Of rows with one address the first counts. An import that was killed goes
    on where it was. `progress` is told how many rows are done of how many, `record` the end, in its transaction.
    """
    source = sources.scan(request.file, format=request.format, encoding=request.encoding, dialect=request.dialect)
    columns = mapping.choose(source.columns, name=source.path.name, program=request.preset, given=request.columns)
    keys = reading.keys(source, columns)
    confirms = bool(request.basis) or reading.confirms(source, columns)
    if request.rejects:
        rejects.require_writable(request.rejects)
    with open() as session:
        reader = _reader(session, request, source, columns, keys, confirms=confirms, declare=not dry_run, now=now)
        run = begun = Run(id=0, done=0, counts={}, started_at=now)
        if not dry_run:
            run = begun = runs.begin(session, source, request.terms(), actor=actor, restart=restart, now=now)
        alone = session.get_bind().dialect.name == "sqlite"  # nobody else writes, and it is this process that does
    makers = handover if alone and handover.worth(source.rows - begun.done) else chunks
    job = _Job(open=open, request=request, keyring=keyring, dry_run=dry_run, now=run.started_at)
    first: list[Reject] = []
    with (
        _uncollected(), closing(makers.ahead(source, reader, done=begun.done)) as made,
        Sheet(request.rejects) if request.rejects else nullcontext() as sheet,
    ):  # fmt: skip
        for chunk in _in_turns(made) if alone else made:
            first += chunk.rejects[: _SHOWN - len(first)]
            if sheet:
                sheet.add(chunk.rejects)
            if chunk.end > begun.done:
                run = job.take(run, chunk)
                gc.collect(0)
            progress(chunk.end, source.rows)
    result = _result(source, run, begun, first)
    if not dry_run:
        with open() as session:
            runs.finish(session, run, now=now)
            record(session, result)
    return result


@contextmanager
def _uncollected() -> Iterator[None]:
    # Looking for cycles among the millions of small things made here, hardly any in one, would take a third of the
    # time; once in a chunk it takes none worth naming.
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _in_turns(made: Iterator[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks, each when other writers had their turn after the one before."""
    free = 0.0
    for chunk in made:
        time.sleep(max(free - time.monotonic(), 0))
        begun = time.monotonic()
        yield chunk
        free = time.monotonic() + (time.monotonic() - begun) / _SHARE


def _reader(
    session: Session, request: Request, source: Source, columns: Columns, keys: set[str], *, confirms: bool,
    declare: bool, now: datetime,
) -> Reader:  # fmt: skip
    """Return what reads the rows, or refuse what could not be written; declare what is to be declared."""
    if request.mode is Mode.REPLACE_TOPICS and "topics" not in columns.fields:
        raise BadRow(f"{source.path.name} has no topics to replace any with; say which column: --map 'COLUMN=topics'")
    known = {each.name: each.id for each in lists.all(session)}
    on = lists.ids_of(session, request.lists) if request.lists or "lists" not in columns.fields else []
    types = attributes.types(session)
    missing = [name for name in dict.fromkeys((*columns.attributes, *sorted(keys))) if name not in types]
    if missing and not request.declare:
        raise mapping.undeclared(columns, missing, types, name=source.path.name)
    if confirms:
        consent.basis(request.basis)
    for name in missing:
        types[name] = AttributeType.STR
        if declare:
            attributes.add(session, name, now=now)
    return Reader(columns, lists=known, on=on, types=types, guarded=source.format is Format.CSV)


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What takes the chunks of one import, each in a transaction of its own."""

    open: Open
    request: Request
    keyring: Keyring
    dry_run: bool
    now: datetime

    def take(self, run: Run, chunk: Chunk) -> Run:
        """Write the people of a chunk and how far the import came; return the run as it is then."""
        for _ in range(_TRIES):
            try:
                return self._try(run, chunk)
            except _Collision as error:
                collision = error
        raise Refused(
            f"somebody else writes the same people again and again; {run.done} rows are done; the same command goes on "
            "from there"
        ) from collision

    def _try(self, run: Run, chunk: Chunk) -> Run:
        with self.open() as session:
            bulk.prepare(session)
            if self.dry_run:
                with session.begin_nested() as savepoint:
                    counts = self._write(session, run, chunk)
                    savepoint.rollback()
                return Run(id=run.id, done=chunk.end, counts=counts, started_at=run.started_at)
            counts = self._write(session, run, chunk)
            return runs.advance(session, run, done=chunk.end, counts=counts, now=self.now)

    def _write(self, session: Session, run: Run, chunk: Chunk) -> Mapping[str, int]:
        terms = Terms(method="import", basis=self.request.basis.strip(" \t"), mode=self.request.mode)
        try:
            outcomes = joining.enter(session, chunk.entries, terms, keyring=self.keyring, now=self.now)
        except DBAPIError as error:
            if isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", "") == _DEADLOCK:
                raise _Collision from error
            raise
        new = Counter({outcome.value: count for outcome, count in Counter(outcomes).items()})
        new["rejected"] = len(chunk.rejects)
        return Counter(run.counts) + new


def _result(source: Source, run: Run, begun: Run, first: Sequence[Reject]) -> ImportResult:
    counts = {outcome.value: run.counts.get(outcome.value, 0) for outcome in Outcome}
    return ImportResult(
        rows=source.rows, **counts, rejected=run.counts.get("rejected", 0), resumed_at=begun.done,
        first_rejects=tuple(first),
    )  # fmt: skip
