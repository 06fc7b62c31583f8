"""The audience: whom an issue goes to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, case, func, or_, select
from sqlmodel import Session

from subscribers import suppressions, upsert
from subscribers.lists import ids_of
from subscribers.models import Subscriber, Subscription, SubscriptionState
from subscribers.segments import where

_PERSON = upsert.table(Subscriber)
_STANDING = upsert.table(Subscription)


def choose(session: Session, *, lists: Sequence[str], segments: Sequence[str] = (), now: datetime) -> Select[int, int]:
    """Return the query of (subscriber, list): the confirmed of any list that match any segment, less the suppressed.

    Each subscriber once, by the first of the lists in the order named. Without segments everybody matches. Raises
    NotFound for an unknown list or segment.
    """
    on = ids_of(session, lists)
    matching = [where(session, name, now) for name in segments]
    place = func.min(case({number: place for place, number in enumerate(on)}, value=_STANDING.c.list_id))
    query = (
        select(_PERSON.c.id, case(dict(enumerate(on)), value=place).label("list_id"))
        .join_from(_PERSON, _STANDING)
        .where(_STANDING.c.list_id.in_(on), _STANDING.c.state == SubscriptionState.CONFIRMED)
        .where(~suppressions.stands())
        .group_by(_PERSON.c.id)
    )
    return query.where(or_(*matching)) if matching else query


def size(session: Session, *, lists: Sequence[str], segments: Sequence[str] = (), now: datetime) -> int:
    """Return how many subscribers `choose` chooses."""
    chosen = choose(session, lists=lists, segments=segments, now=now).subquery()
    return session.scalar(select(func.count()).select_from(chosen)) or 0
