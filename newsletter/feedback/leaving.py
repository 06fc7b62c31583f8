"""Readers who leave, and who think better of it: the standing changes once, and a fact is kept of each leaving."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict, Unpack

from sqlmodel import Session

from newsletter.feedback import events
from newsletter.feedback.events import EventView
from newsletter.feedback.models import EventKind
from subscribers import subscriptions
from subscribers.consent import Saying
from subscribers.models import SubscriptionState


class Word(TypedDict):
    """How and from where a reader told us; the consent row keeps it."""

    method: str
    now: datetime
    ip: str
    user_agent: str


def leave(session: Session, *, subscriber_id: int, list_id: int, **word: Unpack[Word]) -> bool:
    """Take a reader off one list; True when they were on it. A second time changes nothing."""
    return _leave(session, subscriber_id, list_id, {}, word)


def leave_each(session: Session, wishes: Iterable[Saying]) -> int:
    """Take several readers off a list each, as many do at once after a send; return how many were on it."""
    left = subscriptions.unsubscribe_each(session, wishes)
    events.record_each(
        session,
        [
            EventView(
                kind=EventKind.UNSUBSCRIBED, at=wish.now, subscriber_id=wish.subscriber_id, list_id=wish.list_id,
                detail={"method": wish.method},
            )
            for wish in left
        ],
    )  # fmt: skip
    return len(left)


def leave_all(session: Session, *, subscriber_id: int, **word: Unpack[Word]) -> int:
    """Take a reader off every list, and return how many they were on."""
    return sum(
        _leave(session, subscriber_id, standing.list_id, {"all": True, "was": standing.state}, word)
        for standing in subscriptions.of(session, subscriber_id)
        if standing.state != SubscriptionState.UNSUBSCRIBED
    )


def _leave(session: Session, subscriber_id: int, list_id: int, how: dict[str, object], word: Word) -> bool:
    left = subscriptions.unsubscribe(session, subscriber_id=subscriber_id, list_id=list_id, **word)
    if left:
        detail = {"method": word["method"], **how}
        events.record(
            session, EventKind.UNSUBSCRIBED,
            subscriber_id=subscriber_id, list_id=list_id, detail=detail, now=word["now"],
        )  # fmt: skip
    return left


def come_back(session: Session, *, subscriber_id: int, list_id: int, **word: Unpack[Word]) -> bool:
    """Put a reader back on a list that they had left; True when that changed something."""
    return subscriptions.resubscribe(session, subscriber_id=subscriber_id, list_id=list_id, **word)


def come_back_to_all(session: Session, *, subscriber_id: int, **word: Unpack[Word]) -> int:
    """Undo the reader's newest `leave_all`, and return how many lists they are back on.

    A list that still waited for their confirmation waits no more: undoing must not confirm what was never agreed to.
    """
    together = [
        event
        for event in events.of(session, subscriber_id)
        if event.kind == EventKind.UNSUBSCRIBED and event.detail.get("all")
    ]
    return sum(
        come_back(session, subscriber_id=subscriber_id, list_id=event.list_id, **word)
        for event in together
        if event.at == together[-1].at and event.list_id and event.detail["was"] == SubscriptionState.CONFIRMED
    )
