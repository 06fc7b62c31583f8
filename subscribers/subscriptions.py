"""Subscriptions: where a reader stands on each list, and the two steps they take from a link."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from subscribers import consent, notices, upsert
from subscribers.consent import Saying
from subscribers.models import ConsentEvent, MailingList, Subscription, SubscriptionState

_STANDING = upsert.table(Subscription)
_LIST = upsert.table(MailingList)
_STATE = (_STANDING.c.state, _STANDING.c.changed_at)
_ON = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
# Made once: where many leave at once, making it took longer than its execution.
_LEAVE = (
    update(_STANDING)
    .where(_STANDING.c.subscriber_id == bindparam("reader"), _STANDING.c.list_id == bindparam("on"))
    .where(_STANDING.c.state.in_(_ON))
    .values(state=SubscriptionState.UNSUBSCRIBED, changed_at=bindparam("now"))
    .returning(_STANDING.c.id)
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a reader stands on one list."""

    list_id: int
    name: str
    title: str
    state: SubscriptionState
    changed_at: datetime


def of(session: Session, subscriber_id: int) -> list[Standing]:
    """Return where the reader stands, on each list that they ever joined."""
    query = select(_LIST.c.id.label("list_id"), _LIST.c.name, _LIST.c.title, *_STATE)
    query = query.join_from(_LIST, _STANDING).where(_STANDING.c.subscriber_id == subscriber_id)
    return [Standing(**row._mapping) for row in session.execute(query.order_by(_LIST.c.name))]


def unsubscribe(
    session: Session, *, subscriber_id: int, list_id: int, method: str, now: datetime, ip: str = "",
    user_agent: str = "",
) -> bool:  # fmt: skip
    """Take the reader off one list and keep the proof; False when they were not on it, and then nothing changes."""
    return _move(
        session, (subscriber_id, list_id), _ON, SubscriptionState.UNSUBSCRIBED,
        ConsentEvent.WITHDRAWN, method, now, ip, user_agent,
    )  # fmt: skip


def unsubscribe_each(session: Session, wishes: Iterable[Saying]) -> list[Saying]:
    """Take several readers off a list each and keep the proofs; return the wishes that changed something.

    Always in one order: on PostgreSQL two that do this at once would otherwise wait for each other.
    """
    connection = session.connection()
    ordered = sorted(wishes, key=lambda wish: (wish.subscriber_id, wish.list_id))
    left = [
        wish
        for wish in ordered
        if connection.execute(_LEAVE, {"reader": wish.subscriber_id, "on": wish.list_id, "now": wish.now}).first()
    ]
    consent.record_each(session, ConsentEvent.WITHDRAWN, left)
    for wish in left:
        notices.tell(
            session, notices.UNSUBSCRIBED, subscriber_id=wish.subscriber_id, list_id=wish.list_id, now=wish.now
        )
    return left


def resubscribe(
    session: Session, *, subscriber_id: int, list_id: int, method: str, now: datetime, ip: str = "",
    user_agent: str = "",
) -> bool:  # fmt: skip
    """Put the reader back on a list that they had left and keep the proof; False when they had not left it."""
    return _move(
        session, (subscriber_id, list_id), (SubscriptionState.UNSUBSCRIBED,),
        SubscriptionState.CONFIRMED, ConsentEvent.CONFIRMED, method, now, ip, user_agent,
    )  # fmt: skip


def _move(
    session: Session, pair: tuple[int, int], before: tuple[SubscriptionState, ...], after: SubscriptionState,
    event: ConsentEvent, method: str, now: datetime, ip: str, user_agent: str,
) -> bool:  # fmt: skip
    subscriber_id, list_id = pair
    standing = (_STANDING.c.subscriber_id == subscriber_id) & (_STANDING.c.list_id == list_id)
    guarded = update(_STANDING).where(standing, _STANDING.c.state.in_(before)).values(state=after, changed_at=now)
    if session.execute(guarded.returning(_STANDING.c.id)).first() is None:
        return False
    consent.record(session, [pair], event=event, method=method, now=now, ip=ip, user_agent=user_agent)
    fact = notices.UNSUBSCRIBED if event is ConsentEvent.WITHDRAWN else notices.CONFIRMED
    notices.tell(session, fact, subscriber_id=subscriber_id, list_id=list_id, now=now)
    return True
