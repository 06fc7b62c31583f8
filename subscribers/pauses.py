"""Pauses: a reader who wants no mail until a day that they name, and stays on every list."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import update
from sqlmodel import Session

from subscribers import upsert
from subscribers.errors import BadValue
from subscribers.models import Subscriber

#: Who wants no mail for longer leaves.
LONGEST = timedelta(days=365)

_PERSON = upsert.table(Subscriber)


def bounds(now: datetime) -> tuple[date, date]:
    """Return the first and the last day on which a pause that begins now may end."""
    today = now.astimezone(UTC).date()
    return today + timedelta(days=1), today + LONGEST


def until(session: Session, subscriber_id: int, day: date, *, now: datetime) -> None:
    """Let a reader have no mail before a day (in UTC), from which on they have it again by itself."""
    first, last = bounds(now)
    if not first <= day <= last:
        raise BadValue(day.isoformat(), f"a pause ends between {first} and {last}")
    _set(session, subscriber_id, datetime.combine(day, time(), UTC))


def end(session: Session, subscriber_id: int) -> None:
    """Let a reader who paused have mail again now."""
    _set(session, subscriber_id, None)


def _set(session: Session, subscriber_id: int, moment: datetime | None) -> None:
    session.execute(update(_PERSON).where(_PERSON.c.id == subscriber_id).values(paused_until=moment))
