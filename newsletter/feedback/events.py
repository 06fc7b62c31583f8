"""What came back about a reader or a copy, kept as facts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from newsletter.feedback.models import Event, EventKind
from subscribers import upsert


@dataclass(frozen=True, kw_only=True)
class EventView:
    """One fact that came back; `detail` says how."""

    kind: EventKind
    at: datetime
    subscriber_id: int | None = None
    list_id: int | None = None
    issue_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def record(
    session: Session,
    kind: EventKind,
    *,
    subscriber_id: int | None = None,
    list_id: int | None = None,
    issue_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Keep a fact for good."""
    detail = dict(detail or {})
    session.add(
        Event(kind=kind, subscriber_id=subscriber_id, list_id=list_id, issue_id=issue_id, detail=detail, at=now)
    )
    session.flush()


def record_each(session: Session, facts: Iterable[EventView]) -> None:
    """Keep several facts for good."""
    upsert.many(session, insert(upsert.table(Event)), [{**vars(fact), "detail": dict(fact.detail)} for fact in facts])


def of(session: Session, subscriber_id: int) -> list[EventView]:
    """Return what came back about one reader, oldest first."""
    query = select(Event).where(Event.subscriber_id == subscriber_id).order_by(col(Event.id))
    return [
        EventView(
            kind=row.kind, at=row.at, subscriber_id=row.subscriber_id, list_id=row.list_id, issue_id=row.issue_id,
            detail=row.detail,
        )
        for row in session.exec(query)
    ]  # fmt: skip
