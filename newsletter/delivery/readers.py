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
from newsletter.delivery.replies import Fault
from newsletter.delivery.results import MAY_HAVE_IT, RESENT
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER
from newsletter.issues.traits import Traits
from newsletter.rendering.personal import Needs
from subscribers import segments
from subscribers.attributes import Value
from subscribers.columns import among
from subscribers.models import SubscriberTopic, Topic
from subscribers.upsert import table

#: What a query of readers selects of the person and of the list.
COLUMNS = (
    SUBSCRIBER.c.id, SUBSCRIBER.c.email, LIST.c.id, LIST.c.name, LIST.c.title, LIST.c.identifier,
    SUBSCRIBER.c.name, SUBSCRIBER.c.language, SUBSCRIBER.c.country, SUBSCRIBER.c.audience,
    (LIST.c.track_clicks & ~SUBSCRIBER.c.uncounted).label("tracked"),
)  # fmt: skip
_CHOSEN, _TOPIC = table(SubscriberTopic), table(Topic)
_REFUSED = (DELIVERY.c.state == DeliveryState.DEFERRED) & (DELIVERY.c.reason == Fault.POLICY.value)
# Built once, as it is asked for each batch.
_OF_BATCH = (
    select(
        *COLUMNS, DELIVERY.c.id.label("delivery"), DELIVERY.c.attempts, (DELIVERY.c.reason == RESENT).label("resent"),
        DELIVERY.c.variant, DELIVERY.c.waited, _REFUSED.label("refused"), objections.REASON.label("reason"),
    )
    .join_from(DELIVERY, SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id, isouter=True)
    .join(LIST, LIST.c.id == DELIVERY.c.list_id)
    .where(DELIVERY.c.batch_id == bindparam("batch"))
    .where(among(DELIVERY.c.state, DeliveryState.PENDING, DeliveryState.DEFERRED))
    .order_by(DELIVERY.c.id)
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What is looked up of readers beside COLUMNS: whether topics and attributes, and which segments they are in."""

    topics: bool = False
    attributes: bool = False
    #: the conditions of the segments, by their names
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
        return Lookup(topics=needs.topics, attributes=needs.attributes)
    from subscribers.conditions import nodes  # which takes long to load, and most issues need no segment

    asked = {name: segments.read(session, name, now=now) for name in needs.segments}
    of_a_few = {name: nodes.one_by_one(each.tree, each.database) for name, each in asked.items()}
    return Lookup(topics=needs.topics, attributes=needs.attributes, segments=of_a_few)


def of_batch(session: Session, batch_id: int, lookup: Lookup, *, now: datetime) -> Claimed:
    """Return the readers of a batch who wait for their copy, in the order of their deliveries."""
    rows = session.execute(_OF_BATCH, {"batch": batch_id, **objections.at(now)}).all()
    free = [row for row in rows if not row.reason]
    barred = {row.delivery: row.reason + MAY_HAVE_IT * row.resent for row in rows if row.reason}
    return Claimed(readers=tuple(read(session, free, lookup)), barred=barred)


def read(session: Session, rows: Sequence[Any], lookup: Lookup) -> list[Reader]:
    """Return the readers of rows that begin with COLUMNS.

    What follows in a row is the delivery, its attempts, whether it is sent again, its subject's number, its waits, and
    whether the last attempt was refused for who we are.
    """
    who = [row[0] for row in rows]  # named one by one: a subquery may have SQLite go through everybody
    topics = _topics(session, who) if lookup.topics else {}
    attributes = _attributes(session, who) if lookup.attributes else {}
    inside = _inside(session, who, lookup.segments)
    return [
        _reader(row, tuple(topics.get(row[0], ())), attributes.get(row[0], {}), frozenset(inside.get(row[0], ())))
        for row in rows
    ]


def _topics(session: Session, who: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Return what each of them chose to read about."""
    topics: dict[int, list[str]] = defaultdict(list)
    chosen = select(_CHOSEN.c.subscriber_id, _TOPIC.c.name).join(_TOPIC, _TOPIC.c.id == _CHOSEN.c.topic_id)
    chosen = chosen.where(_CHOSEN.c.subscriber_id.in_(who)).order_by(_CHOSEN.c.subscriber_id, _TOPIC.c.name)
    for subscriber, name in session.execute(chosen):
        topics[subscriber].append(name)
    return topics


def _attributes(session: Session, who: Sequence[int]) -> Mapping[int, Mapping[str, Value]]:
    """Return what else the desk knows of each of them."""
    known = select(SUBSCRIBER.c.id, SUBSCRIBER.c.attributes).where(SUBSCRIBER.c.id.in_(who))
    return dict(session.execute(known).all())


def _inside(
    session: Session, who: Sequence[int], segments: Mapping[str, ColumnElement[bool]]
) -> Mapping[int, Sequence[str]]:
    """Return which of the segments each of them is in."""
    inside: dict[int, list[str]] = defaultdict(list)
    for name, condition in segments.items():
        for subscriber in session.scalars(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.id.in_(who), condition)):
            inside[subscriber].append(name)
    return inside


def _reader(
    row: Sequence[Any], topics: tuple[str, ...], attributes: Mapping[str, Value], inside: frozenset[str]
) -> Reader:
    number, email, list_id, list_name, title, identifier, name, language, country, audience, *rest = row
    tracked, *copy = rest
    delivery, attempts, resent, variant, waited, refused, *_ = copy or (0, 0, False, 0, 0.0, False)
    traits = Traits(email, name, language, country, audience, topics, attributes, inside, list_name, title)
    return Reader(
        delivery, number, email, list_id, list_name, title, identifier, attempts, resent, traits, variant,
        bool(tracked), waited, bool(refused),
    )  # fmt: skip
