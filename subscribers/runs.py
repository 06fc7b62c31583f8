"""Runs: how far an import came, kept with what it wrote, so that the same command goes on from there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlmodel import Session

from subscribers import upsert
from subscribers.errors import Refused
from subscribers.models import ImportRun
from subscribers.sources import Source

_TABLE = upsert.table(ImportRun)


@dataclass(frozen=True, kw_only=True)
class Run:
    """An import under way: so many rows are `done`, and what became of them is in `counts`."""

    id: int
    done: int
    counts: Mapping[str, int]
    started_at: datetime


def begin(
    session: Session, source: Source, terms: dict[str, Any], *, actor: str, restart: bool = False, now: datetime
) -> Run:
    """Return the import of this file that stands half done, or a new one.

    Raises Refused where one stands half done that was asked for differently, unless it is to begin anew.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE import_run IN SHARE ROW EXCLUSIVE MODE"))
    half_done = (_TABLE.c.sha256 == source.sha256) & _TABLE.c.finished_at.is_(None)
    for row in session.execute(select(_TABLE).where(half_done)).all():
        if restart or (row.terms != terms and not row.done):
            session.execute(delete(_TABLE).where(_TABLE.c.id == row.id))
            continue
        if row.terms != terms:
            raise Refused(_otherwise(source, row, terms))
        return Run(id=row.id, done=row.done, counts=row.counts, started_at=row.started_at)
    run = ImportRun(
        file=source.path.name[:400], sha256=source.sha256, terms=terms, actor=actor, rows=source.rows, started_at=now,
        changed_at=now,
    )  # fmt: skip
    session.add(run)
    session.flush()
    assert run.id is not None
    return Run(id=run.id, done=0, counts={}, started_at=now)


def advance(session: Session, run: Run, *, done: int, counts: Mapping[str, int], now: datetime) -> Run:
    """Return the run so many rows further; raise Refused when another process has moved it."""
    to = {"done": done, "counts": dict(counts), "changed_at": now}
    if upsert.touched(session, update(_TABLE).where(_where(run)).values(to)) != 1:
        raise Refused(_elsewhere())
    return Run(id=run.id, done=done, counts=counts, started_at=run.started_at)


def finish(session: Session, run: Run, *, now: datetime) -> None:
    """Note that every row is done."""
    if upsert.touched(session, update(_TABLE).where(_where(run)).values(changed_at=now, finished_at=now)) != 1:
        raise Refused(_elsewhere())


def _where(run: Run) -> Any:
    return (_TABLE.c.id == run.id) & (_TABLE.c.done == run.done) & _TABLE.c.finished_at.is_(None)


def _elsewhere() -> str:
    return "another process imports the same file now and goes on with it; wait for it to end"


def _otherwise(source: Source, row: Any, terms: Mapping[str, Any]) -> str:
    other = [name for name in terms if row.terms.get(name) != terms[name]]
    then = "; ".join(f"{name} was {row.terms.get(name)!r} and is {terms[name]!r}" for name in other)
    return (
        f"an import of {source.path.name} stands half done since {row.started_at:%Y-%m-%d %H:%M} "
        f"({row.done} of {row.rows} rows), asked for otherwise: {then}. Ask the same way to go on with it, or begin "
        "anew: --restart"
    )
