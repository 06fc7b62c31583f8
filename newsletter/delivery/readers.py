"""The readers of a batch: what their messages need to know of them, looked up for all of them at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlmodel import Session

from newsletter.delivery import objections
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.reader import Reader
from newsletter.delivery.results import MAY_HAVE_IT, RESENT
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER
from newsletter.issues.traits import Traits
from newsletter.rendering.personal import Needs
from subscribers import segments
from subscribers.models import SubscriberTopic, Topic
from subscribers.upsert import table

#: What a query of readers selects of the person and of the list.
COLUMNS = (
    SUBSCRIBER.c.id, SUBSCRIBER.c.email, LIST.c.id, LIST.c.name, LIST.c.title, LIST.c.identifier,
    SUBSCRIBER.c.name, SUBSCRIBER.c.language, SUBSCRIBER.c.country, SUBSCRIBER.c.audience, SUBSCRIBER.c.attributes,
    (LIST.c.track_clicks & ~SUBSCRIBER.c.uncounted).label("tracked"),
)  # fmt: skip
_CHOSEN, _TOPIC = table(SubscriberTopic), table(Topic)
_WAITING = DELIVERY.alias("waiting")
# Built once, as it is asked for each batch. The batch's copies are found on the side: what SQLite knows of the table's
# past, in which no delivery may have had a batch, can otherwise have it read the whole of it.
_OF_BATCH = (
    select(
        *COLUMNS, DELIVERY.c.id.label("delivery"), DELIVERY.c.attempts, (DELIVERY.c.reason == RESENT).label("resent"),
        DELIVERY.c.variant, objections.REASON.label("reason"),
    )
    .join_from(DELIVERY, SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id, isouter=True)
    .join(LIST, LIST.c.id == DELIVERY.c.list_id)
    .where(
        DELIVERY.c.id.in_(
            select(_WAITING.c.id).where(
                _WAITING.c.batch_id == bindparam("batch"),
                _WAITING.c.state.in_((DeliveryState.PENDING, DeliveryState.DEFERRED)),
            )
        )
    )
    .order_by(DELIVERY.c.id)
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What is looked up of readers beside COLUMNS: whether topics, and the conditions of the segments asked about."""

    topics: bool = False
    segments: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """The readers of a batch, and why each of the others must not get the copy, by delivery."""

    readers: tuple[Reader, ...]
    barred: dict[int, str]


#: What is looked up for an issue that is the same for every reader.
NOTHING_MORE = Lookup()


def lookup(session: Session, needs: Needs, *, now: datetime) -> Lookup:
    """Return what an issue needs, understood once for all its batches; NotFound where a segment is there no more."""
    if not needs.segments:
        return Lookup(topics=needs.topics)
    from subscribers.conditions import nodes  # which takes long to load, and most issues need no segment

    asked = {name: segments.read(session, name, now=now) for name in needs.segments}
    of_a_few = {name: nodes.one_by_one(each.tree, each.database) for name, each in asked.items()}
    return Lookup(topics=needs.topics, segments=of_a_few)


def of_batch(session: Session, batch_id: int, lookup: Lookup, *, now: datetime) -> Claimed:
    """Return the readers of a batch who wait for their copy, in the order of their deliveries."""
    rows = session.execute(_OF_BATCH, {"batch": batch_id, **objections.at(now)}).all()
    free = [row for row in rows if not row.reason]
    barred = {row.delivery: row.reason + MAY_HAVE_IT * row.resent for row in rows if row.reason}
    return Claimed(readers=tuple(read(session, free, lookup)), barred=barred)


def read(session: Session, rows: Sequence[Any], lookup: Lookup) -> list[Reader]:
    """Return the readers of rows that begin with COLUMNS.

    What follows in a row is the delivery, its attempts, whether it is sent again, and its subject's number.
    """
    who = [row[0] for row in rows]  # named one by one: a subquery may have SQLite go through everybody
    topics: dict[int, list[str]] = defaultdict(list)
    if lookup.topics:
        chosen = select(_CHOSEN.c.subscriber_id, _TOPIC.c.name).join(_TOPIC, _TOPIC.c.id == _CHOSEN.c.topic_id)
        chosen = chosen.where(_CHOSEN.c.subscriber_id.in_(who)).order_by(_CHOSEN.c.subscriber_id, _TOPIC.c.name)
        for subscriber, name in session.execute(chosen):
            topics[subscriber].append(name)
    inside = {
        name: set(session.scalars(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.id.in_(who), condition)))
        for name, condition in lookup.segments.items()
    }
    return [
        _reader(row, tuple(topics.get(row[0], ())), frozenset(name for name, ids in inside.items() if row[0] in ids))
        for row in rows
    ]


def _reader(row: Sequence[Any], topics: tuple[str, ...], inside: frozenset[str]) -> Reader:
    number, email, list_id, list_name, title, identifier, name, language, country, audience, attributes = row[:11]
    tracked, *rest = row[11:]
    traits = Traits(
        email=email, name=name, language=language, country=country, audience=audience, topics=topics,
        attributes=attributes, segments=inside, list_name=list_name, list_title=title,
    )  # fmt: skip
    delivery, attempts, resent, variant, *_ = rest or (0, 0, False, 0)
    return Reader(
        delivery, number, email, list_id, list_name, title, identifier, attempts, resent, traits, variant, bool(tracked)
    )
