"""Batches: the runs of deliveries that a sender claims, sends and records together."""

from collections.abc import Sequence
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
    numbers = _open(session, issue_id, count)
    if not numbers or numbers[-1] - numbers[0] + 1 == len(numbers):
        return range(numbers[0], numbers[-1] + 1) if numbers else range(0)
    session.execute(delete(BATCH).where(BATCH.c.id.in_(numbers)))
    return range(0)


def _open(session: Session, issue_id: int, count: int) -> Sequence[int]:
    opened = {"issue_id": issue_id, "state": BatchState.OPEN, "fence": 0, "worker": ""}
    if count:
        session.execute(insert(BATCH), [opened] * count)
    is_open = (BATCH.c.issue_id == issue_id, BATCH.c.state == BatchState.OPEN)
    return session.execute(select(BATCH.c.id).where(*is_open).order_by(BATCH.c.id)).scalars().all()


def form(session: Session, issue_id: int, *, batch: int, now: datetime) -> int:
    """Put the deliveries that wait and are due into open batches; return how many batches that made.

    To be called when no batch of the issue is open.
    """
    runs = session.execute(_runs(issue_id, batch, now)).all()
    if not runs:
        return 0
    ids = _open(session, issue_id, len(runs))
    # By ranges of keys, because SQLite joins an UPDATE ... FROM of numbered rows as batches times deliveries; and
    # "+ 0" and coalesce keep it from walking another index for each range.
    in_range = (
        DELIVERY.c.id.between(bindparam("first"), bindparam("last")),
        DELIVERY.c.issue_id + 0 == issue_id,
        func.coalesce(DELIVERY.c.batch_id, 0) == 0,
        bindparam("again") == _RETRIED,
        _waits(now),
    )
    put = update(DELIVERY).where(*in_range).values(batch_id=bindparam("batch"))
    session.execute(put, [{"batch": key, **run._mapping} for key, run in zip(ids, runs, strict=True)])
    return len(runs)


def _runs(issue_id: int, batch: int, now: datetime) -> Select[Any]:
    """Return the query of what each batch is to hold: whether it is a first try, and the range of its keys.

    Whom the relay refused or put off before comes last, so that none of them can keep the others waiting.
    """
    place = func.row_number().over(partition_by=_RETRIED, order_by=DELIVERY.c.id) - 1
    free = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.batch_id.is_(None), _waits(now))
    due = select(DELIVERY.c.id, _RETRIED.label("again"), place.label("place")).where(*free).subquery()
    run = (due.c.again, due.c.place // batch)
    ends = (func.min(due.c.id).label("first"), func.max(due.c.id).label("last"))
    return select(due.c.again, *ends).group_by(*run).order_by(*run)


def _waits(now: datetime) -> ColumnElement[bool]:
    deferred = and_(DELIVERY.c.state == DeliveryState.DEFERRED, DELIVERY.c.due_at <= now)
    return or_(DELIVERY.c.state == DeliveryState.PENDING, deferred)
