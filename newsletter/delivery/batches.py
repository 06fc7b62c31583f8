"""Batches: the runs of deliveries that a sender claims, sends and records together."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, func, insert, or_, select, update
from sqlmodel import Session

from newsletter.delivery.models import BatchState, DeliveryState
from newsletter.delivery.tables import BATCH, DELIVERY

_RETRIED = case((DELIVERY.c.reason != "", 1), else_=0)


def reserve(session: Session, issue_id: int, count: int) -> range:
    """Make so many batches with nobody in them yet, and return their numbers, which follow each other.

    PostgreSQL may have numbered batches of another issue among them: then there is no such range, and no batch is made.
    """
    _open(session, issue_id, count)
    is_open = (BATCH.c.issue_id == issue_id, BATCH.c.state == BatchState.OPEN)
    numbers = session.execute(select(BATCH.c.id).where(*is_open).order_by(BATCH.c.id)).scalars().all()
    if not numbers or numbers[-1] - numbers[0] + 1 == len(numbers):
        return range(numbers[0], numbers[-1] + 1) if numbers else range(0)
    session.execute(delete(BATCH).where(BATCH.c.id.in_(numbers)))
    return range(0)


def _open(session: Session, issue_id: int, count: int, part: int = 0) -> list[int]:
    """Make so many batches with nobody in them, and return their numbers in order."""
    if not count:
        return []
    opened = {"issue_id": issue_id, "state": BatchState.OPEN, "fence": 0, "worker": "", "part": part}
    return sorted(session.execute(insert(BATCH).returning(BATCH.c.id), [opened] * count).scalars())


def form(session: Session, issue_id: int, *, batch: int, part: int | None = None, now: datetime) -> int:
    """Put the deliveries that wait and are due into open batches; return how many batches that made.

    No batch holds two parts, and those of part 1 come first; with `part` only that part is taken. To be called when
    no batch of that part is open.
    """
    runs = session.execute(_runs(issue_id, batch, part, now)).all()
    if not runs:
        return 0
    of_each = Counter(run.part for run in runs)
    ids = [key for each, count in of_each.items() for key in _open(session, issue_id, count, each)]
    # By ranges of keys, because SQLite joins an UPDATE ... FROM of numbered rows as batches times deliveries; and
    # "+ 0" and coalesce keep it from walking another index for each range.
    in_range = (
        DELIVERY.c.id.between(bindparam("first"), bindparam("last")),
        DELIVERY.c.issue_id + 0 == issue_id,
        func.coalesce(DELIVERY.c.batch_id, 0) == 0,
        bindparam("again") == _RETRIED,
        bindparam("of_part") == DELIVERY.c.part,
        _waits(now),
    )
    put = update(DELIVERY).where(*in_range).values(batch_id=bindparam("batch"))
    ranges = ({"first": run.first, "last": run.last, "again": run.again, "of_part": run.part} for run in runs)
    session.execute(put, [{"batch": key, **each} for key, each in zip(ids, ranges, strict=True)])
    return len(runs)


def _runs(issue_id: int, batch: int, part: int | None, now: datetime) -> Select[Any]:
    """Return the query of what each batch is to hold: its part, whether it is a first try, and the range of its keys.

    Whom the relay refused or put off before comes last, so that none of them can keep the others waiting.
    """
    place = func.row_number().over(partition_by=(DELIVERY.c.part, _RETRIED), order_by=DELIVERY.c.id) - 1
    free = [DELIVERY.c.issue_id == issue_id, DELIVERY.c.batch_id.is_(None), _waits(now)]
    if part is not None:
        free.append(DELIVERY.c.part == part)
    labels = (DELIVERY.c.id, DELIVERY.c.part, _RETRIED.label("again"), place.label("place"))
    due = select(*labels).where(*free).subquery()
    run = (due.c.part, due.c.again, due.c.place // batch)
    ends = (func.min(due.c.id).label("first"), func.max(due.c.id).label("last"))
    return select(due.c.part, due.c.again, *ends).group_by(*run).order_by(due.c.part.desc(), *run[1:])


def _waits(now: datetime) -> ColumnElement[bool]:
    deferred = and_(DELIVERY.c.state == DeliveryState.DEFERRED, DELIVERY.c.due_at <= now)
    return or_(DELIVERY.c.state == DeliveryState.PENDING, deferred)
