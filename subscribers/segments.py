"""Segments: named conditions over subscribers, kept as the text their author wrote."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import delete as delete_from
from sqlmodel import Session

from subscribers import subscribers, upsert, words
from subscribers.errors import Refused
from subscribers.models import Segment, Subscriber

_TABLE, _PERSON = upsert.table(Segment), upsert.table(Subscriber)
_VIEW = select(_TABLE.c.name, _TABLE.c.condition, _TABLE.c.created_at).order_by(_TABLE.c.name)


@dataclass(frozen=True, kw_only=True)
class SegmentView:
    """A segment as its author wrote it."""

    name: str
    condition: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a segment, and whether it holds for somebody."""

    condition: str
    holds: bool


def create(session: Session, name: str, condition: str, *, now: datetime) -> SegmentView:
    """Name a condition; raise BadCondition when it cannot be understood."""
    row = {"name": words.name("segment", name), "condition": condition.strip(), "created_at": now}
    _compiled(condition, now)
    made = session.execute(upsert.into(session, Segment).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    if made.first() is None:
        raise Refused(f"the segment {name} exists already; choose another name, or: newsletter segments delete {name}")
    return get(session, name)


def get(session: Session, name: str) -> SegmentView:
    """Return the segment; raise NotFound, with the names that are near, when there is none."""
    found = session.execute(_VIEW.where(_TABLE.c.name == name)).first()
    if found is None:
        raise words.missing("segment", name, [segment.name for segment in all(session)])
    return SegmentView(**found._mapping)


def all(session: Session) -> list[SegmentView]:
    """Return every segment, by name."""
    return [SegmentView(**row._mapping) for row in session.execute(_VIEW)]


def delete(session: Session, name: str) -> None:
    """Forget a segment; its subscribers stay as they are."""
    get(session, name)
    session.execute(delete_from(_TABLE).where(_TABLE.c.name == name))


def where(session: Session, name: str, now: datetime) -> ColumnElement[bool]:
    """Return the segment's condition over Subscriber, as it stands at a moment."""
    return _compiled(get(session, name).condition, now)


def count(session: Session, name: str, now: datetime) -> int:
    """Return how many subscribers match, on whatever lists and in whatever state."""
    matching = select(func.count()).select_from(Subscriber).where(where(session, name, now))
    return session.scalar(matching) or 0


def sample(session: Session, name: str, *, limit: int = 10, now: datetime) -> list[str]:
    """Return the addresses of the first few who match."""
    matching = select(_PERSON.c.email).where(where(session, name, now)).order_by(_PERSON.c.id).limit(limit)
    return list(session.scalars(matching))


def explain(session: Session, name: str, email: str, *, now: datetime) -> list[Part]:
    """Return each part of the segment that must hold, and whether it does for one person."""
    from subscribers import conditions

    person = subscribers.find(session, email)
    return [
        Part(condition=text, holds=_holds(session, person.id, conditions.compile(text, now=now)))
        for text in conditions.parts(get(session, name).condition)
    ]


def _holds(session: Session, subscriber_id: int, condition: ColumnElement[bool]) -> bool:
    asked = select(_PERSON.c.id).where(_PERSON.c.id == subscriber_id, condition)
    return session.scalar(asked) is not None


def _compiled(condition: str, now: datetime) -> ColumnElement[bool]:
    # The language takes longer to load than the rest of a command, and most commands need no segment.
    from subscribers import conditions

    return conditions.compile(condition, now=now)
