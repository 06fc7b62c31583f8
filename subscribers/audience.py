"""The audience: whom an issue goes to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Exists, Select, exists, or_, select, union_all
from sqlmodel import Session

from subscribers import suppressions, upsert
from subscribers.lists import ids_of
from subscribers.models import Subscriber, Subscription, SubscriptionState
from subscribers.segments import where

_PERSON = upsert.table(Subscriber)
_STANDING = upsert.table(Subscription)
_EARLIER = _STANDING.alias("earlier")

Chosen = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


def choose(session: Session, *, lists: Sequence[str], segments: Sequence[str] = (), now: datetime) -> Chosen:
    """Return the query of the confirmed who match any segment, less the suppressed, and how often they want mail.

    Its columns are subscriber_id, list_id, frequency and paused_until. Each subscriber once, by the first of the lists
    in the order named that may bring them a copy. Without segments everybody matches. Raises NotFound for an unknown
    list or segment.
    """
    on = ids_of(session, lists)
    matching = [where(session, name, now) for name in segments]
    first, *more = (_of(list_id, on[:place], matching) for place, list_id in enumerate(on))
    return union_all(first, *more) if more else first


def _of(list_id: int, earlier: Sequence[int], matching: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """Return whom one list brings a copy that none of the earlier lists does."""
    query = (
        select(_PERSON.c.id.label("subscriber_id"), _STANDING.c.list_id, _PERSON.c.frequency, _PERSON.c.paused_until)
        .join_from(_STANDING, _PERSON)
        .where(_STANDING.c.list_id == list_id, _STANDING.c.state == SubscriptionState.CONFIRMED)
        .where(~suppressions.stands(_STANDING.c.list_id))
    )
    if earlier:
        query = query.where(~_reached_by(earlier))
    return query.where(or_(*matching)) if matching else query


def _reached_by(lists: Sequence[int]) -> Exists:
    brings = (
        _EARLIER.c.subscriber_id == _PERSON.c.id,
        _EARLIER.c.list_id.in_(lists),
        _EARLIER.c.state == SubscriptionState.CONFIRMED,
        ~suppressions.stands(_EARLIER.c.list_id),
    )
    return exists().where(*brings).correlate(_PERSON)
