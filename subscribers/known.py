"""What the desk knows already of the people in a batch, in a few statements however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, text
from sqlmodel import Session

from subscribers import bulk, erasures, upsert
from subscribers.models import Subscriber, SubscriberTopic, Subscription, SubscriptionState, Suppression
from subscribers.tokens import Keyring

_PERSON, _STANDING = upsert.table(Subscriber), upsert.table(Subscription)
_CHOICE, _BARRED = upsert.table(SubscriberTopic), upsert.table(Suppression)
_FIELDS = ("id", "email_key", "name", "language", "country", "audience", "frequency", "attributes")
_LOCK = 0x6A6F696E  # any number that no other PostgreSQL advisory lock of the desk uses

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Known:
    """The known among some addresses: `barred` must not be mailed at all, `closed` names lists that must not mail them.

    `erased` are those of the barred who asked to be forgotten; `people` are rows of subscribers by key, whoever is
    barred left out.
    """

    barred: set[str]
    erased: set[str]
    closed: Mapping[str, Collection[int]]
    people: Mapping[str, Row[Any]]


def lock(session: Session) -> None:
    """Let nobody else put people on lists until the transaction ends; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def among(session: Session, keys: Sequence[str], keyring: Keyring) -> Known:
    """Return what is known of the addresses with these keys; on PostgreSQL the rows stay as they are for us."""
    closed: defaultdict[str, list[int]] = defaultdict(list)
    erased = erasures.among(session, keyring, keys)
    barred = set(erased)
    standing = select(_BARRED.c.email_key, _BARRED.c.list_id).where(_BARRED.c.lifted_at.is_(None))
    if session.execute(standing.limit(1)).first():
        for key, on in session.execute(standing.where(bulk.among(session, _BARRED.c.email_key, keys))):
            barred.add(key) if on is None else closed[key].append(on)
    people = select(*[_PERSON.c[name] for name in _FIELDS]).where(bulk.among(session, _PERSON.c.email_key, keys))
    rows = session.execute(people.order_by(_PERSON.c.email_key).with_for_update(key_share=True))
    return Known(
        barred=barred, erased=erased, closed=closed,
        people={row.email_key: row for row in rows if row.email_key not in barred},
    )  # fmt: skip


def standings(session: Session, people: Collection[int], on: Iterable[int]) -> dict[Pair, SubscriptionState]:
    """Return where these subscribers stand on the lists, by (subscriber, list)."""
    if not people:
        return {}
    where = bulk.among(session, _STANDING.c.subscriber_id, list(people)) & _STANDING.c.list_id.in_(list(on))
    query = select(_STANDING.c.subscriber_id, _STANDING.c.list_id, _STANDING.c.state).where(where).with_for_update()
    return {(subscriber, number): state for subscriber, number, state in session.execute(query)}


def choices(session: Session, people: Collection[int]) -> dict[int, set[int]]:
    """Return which topics each of these subscribers chose."""
    chosen: defaultdict[int, set[int]] = defaultdict(set)
    if people:
        where = bulk.among(session, _CHOICE.c.subscriber_id, list(people))
        for subscriber, topic in session.execute(select(_CHOICE.c.subscriber_id, _CHOICE.c.topic_id).where(where)):
            chosen[subscriber].add(topic)
    return chosen
