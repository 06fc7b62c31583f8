"""Joining: people put on lists by the desk, one or many at once, without overruling anybody who left."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, or_, select
from sqlmodel import Session

from subscribers import consent, erasures, topics, upsert
from subscribers.models import (
    ConsentEvent,
    Subscriber,
    SubscriberTopic,
    Subscription,
    SubscriptionState,
    Suppression,
)
from subscribers.profiles import Profile
from subscribers.tokens import Keyring

_PERSON = upsert.table(Subscriber)
_STANDING = upsert.table(Subscription)
_CHOICE = upsert.table(SubscriberTopic)
_BARRED = upsert.table(Suppression)
_FIELDS = ("name", "language", "country", "audience")

Pair = tuple[int, int]


class Outcome(StrEnum):
    """What became of one profile."""

    #: nobody had this address; now a subscriber
    ADDED = "added"
    #: known already; a field, a topic or a list is new
    UPDATED = "updated"
    #: known already, with all of this
    UNCHANGED = "unchanged"
    #: the address must not be mailed: nothing was written
    SUPPRESSED = "suppressed"
    #: left one of the lists before, and stays off it
    KEPT_OUT = "kept_out"


def join(
    session: Session, people: Sequence[Profile], *, on: Collection[int], method: str, basis: str, keyring: Keyring,
    now: datetime, resubscribe: bool = False,
) -> list[Outcome]:  # fmt: skip
    """Put each of the people on each of the lists, with a consent row for it; return their outcomes in order.

    Each address may occur once; keep to a few thousand people at a time, as their keys are bound values. A profile
    adds to what is known and overwrites it where it says something. Only `resubscribe` brings back who left.
    """
    keys = [person.address.key for person in people]
    barred = _barred(session, keys) | erasures.among(session, keyring, keys)
    welcome = {person.address.key: person for person in people if person.address.key not in barred}
    before = _known(session, welcome)
    rows = {key: _merged(person, before.get(key), now) for key, person in welcome.items()}
    changed = {key for key, row in rows.items() if key in before and not _same(row, before[key])}
    _store(session, [row for key, row in rows.items() if key in changed or key not in before])
    ids = _ids(session, welcome)
    touched = _add_topics(session, {ids[key]: person.topics for key, person in welcome.items() if person.topics})
    joined, kept_out = _subscribe(session, ids.values(), on, now=now, resubscribe=resubscribe)
    consent.record(session, joined, event=ConsentEvent.CONFIRMED, method=method, shown=basis, now=now)
    touched |= {subscriber for subscriber, _ in joined}

    def outcome(key: str) -> Outcome:
        if key in barred:
            return Outcome.SUPPRESSED
        if ids[key] in kept_out:
            return Outcome.KEPT_OUT
        if key not in before:
            return Outcome.ADDED
        return Outcome.UPDATED if key in changed or ids[key] in touched else Outcome.UNCHANGED

    return [outcome(person.address.key) for person in people]


def _barred(session: Session, keys: Iterable[str]) -> set[str]:
    query = select(_BARRED.c.email_key).where(_BARRED.c.email_key.in_(keys), _BARRED.c.lifted_at.is_(None))
    return set(session.scalars(query))


def _known(session: Session, keys: Iterable[str]) -> dict[str, Row[Any]]:
    return {row.email_key: row for row in session.execute(select(_PERSON).where(_PERSON.c.email_key.in_(keys)))}


def _ids(session: Session, keys: Iterable[str]) -> dict[str, int]:
    return dict(session.execute(select(_PERSON.c.email_key, _PERSON.c.id).where(_PERSON.c.email_key.in_(keys))).all())


def _merged(person: Profile, known: Row[Any] | None, now: datetime) -> dict[str, Any]:
    return {
        "email": person.address.email, "email_key": person.address.key, "smtputf8": person.address.smtputf8,
        "joined_at": now,
        **{field: getattr(person, field) or getattr(known, field, "") for field in _FIELDS},
        "attributes": {**(known.attributes if known else {}), **person.attributes},
    }  # fmt: skip


def _same(row: dict[str, Any], known: Row[Any]) -> bool:
    return all(row[field] == getattr(known, field) for field in (*_FIELDS, "attributes"))


def _store(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    statement = upsert.into(session, Subscriber)
    new = {field: statement.excluded[field] for field in (*_FIELDS, "attributes")}
    upsert.many(session, statement.on_conflict_do_update(index_elements=["email_key"], set_=new), rows)


def _add_topics(session: Session, chosen: dict[int, tuple[str, ...]]) -> set[int]:
    """Add topics to what each subscriber chose; return those for whom one was new."""
    numbers = topics.ensure(session, {name for names in chosen.values() for name in names})
    wanted = {(subscriber, numbers[name]) for subscriber, names in chosen.items() for name in names}
    query = select(_CHOICE.c.subscriber_id, _CHOICE.c.topic_id).where(_CHOICE.c.subscriber_id.in_(list(chosen)))
    new = sorted(wanted - {(row.subscriber_id, row.topic_id) for row in session.execute(query)})
    statement = upsert.into(session, SubscriberTopic).on_conflict_do_nothing()
    upsert.many(session, statement, [{"subscriber_id": subscriber, "topic_id": topic} for subscriber, topic in new])
    return {subscriber for subscriber, _ in new}


def _subscribe(
    session: Session, ids: Collection[int], on: Collection[int], *, now: datetime, resubscribe: bool
) -> tuple[list[Pair], set[int]]:
    """Confirm what may be confirmed; return those (subscriber, list), and the subscribers who stay out of a list."""
    query = select(_STANDING).where(_STANDING.c.subscriber_id.in_(ids), _STANDING.c.list_id.in_(on)).with_for_update()
    standing = {(row.subscriber_id, row.list_id): row.state for row in session.execute(query)}
    left = {pair for pair, state in standing.items() if state == SubscriptionState.UNSUBSCRIBED and not resubscribe}
    settled = left | {pair for pair, state in standing.items() if state == SubscriptionState.CONFIRMED}
    joined = [(subscriber, number) for subscriber in ids for number in on if (subscriber, number) not in settled]
    # Who joins and leaves between the two statements stays out: the upsert moves only what may be moved.
    movable = _STANDING.c.state == SubscriptionState.PENDING
    if resubscribe:
        movable = or_(movable, _STANDING.c.state == SubscriptionState.UNSUBSCRIBED)
    statement = upsert.into(session, Subscription)
    values = {"state": SubscriptionState.CONFIRMED, "changed_at": now}
    statement = statement.on_conflict_do_update(index_elements=["list_id", "subscriber_id"], set_=values, where=movable)
    rows = [{"subscriber_id": subscriber, "list_id": number, **values} for subscriber, number in joined]
    upsert.many(session, statement, rows)
    return joined, {subscriber for subscriber, _ in left}
