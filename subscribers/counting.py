"""Counting: whether it is counted which links a reader follows, and that they do not want it."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlmodel import Session

from subscribers import upsert
from subscribers.models import MailingList, Subscriber, Subscription, SubscriptionState

_LIST, _PERSON, _STANDING = upsert.table(MailingList), upsert.table(Subscriber), upsert.table(Subscription)


@dataclass(frozen=True, kw_only=True)
class Counting:
    """The titles of the reader's lists that count clicks, and whether the reader refuses it."""

    lists: tuple[str, ...]
    refused: bool


def of(session: Session, subscriber_id: int) -> Counting:
    """Return how it stands with a reader."""
    titles = (
        select(_LIST.c.title)
        .join(_STANDING, _STANDING.c.list_id == _LIST.c.id)
        .where(_STANDING.c.subscriber_id == subscriber_id, _STANDING.c.state != SubscriptionState.UNSUBSCRIBED)
        .where(_LIST.c.track_clicks)
        .order_by(_LIST.c.title)
    )
    refused = session.scalar(select(_PERSON.c.uncounted).where(_PERSON.c.id == subscriber_id))
    return Counting(lists=tuple(session.scalars(titles)), refused=bool(refused))


def refuse(session: Session, subscriber_id: int, refused: bool) -> None:
    """Let a reader's clicks be counted no more, or again; what was counted stays."""
    session.execute(update(_PERSON).where(_PERSON.c.id == subscriber_id).values(uncounted=refused))
