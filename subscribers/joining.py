"""Joining: people put on lists by the desk, one or ten thousand at once, without overruling anybody who left."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, update
from sqlmodel import Session

from subscribers import bulk, consent, flags, known, suppressions, topics, upsert
from subscribers.known import Known, Pair
from subscribers.models import (
    Consent,
    ConsentEvent,
    Frequency,
    Subscriber,
    SubscriberTopic,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from subscribers.profiles import Profile
from subscribers.tokens import Keyring

_PERSON, _STANDING = upsert.table(Subscriber), upsert.table(Subscription)
_CHOICE = upsert.table(SubscriberTopic)
_PERSON_COLUMNS = (
    "id", "email", "email_key", "name", "language", "country", "audience", "frequency", "attributes", "smtputf8",
    "role_account", "disposable", "joined_at",
)  # fmt: skip
_STANDING_COLUMNS = ("list_id", "subscriber_id", "state", "changed_at")
_CONSENT_COLUMNS = (
    "subscriber_id", "list_id", "event", "method", "words", "words_sha256", "form_version", "message_id", "ip",
    "user_agent", "at",
)  # fmt: skip
_MERGED = ("name", "language", "country", "audience", "frequency")
_CONFIRMED, _PENDING, _LEFT = SubscriptionState.CONFIRMED, SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED
_VALUE = {word: word.value for word in (*SubscriptionState, *Frequency)}
_PROVED_BY = {
    _CONFIRMED: ConsentEvent.CONFIRMED.value, _PENDING: ConsentEvent.REQUESTED.value,
    _LEFT: ConsentEvent.WITHDRAWN.value,
}  # fmt: skip


class Mode(StrEnum):
    """What a profile does to a subscriber who is known already."""

    #: nothing; they only join the lists
    ADD = "add"
    #: what it says overwrites, its topics are added
    UPDATE = "update"
    #: as update, and its topics become the whole choice
    REPLACE_TOPICS = "replace-topics"


class Outcome(StrEnum):
    """What became of one profile."""

    #: nobody had this address; now a subscriber
    ADDED = "added"
    #: known already; a field, a topic or a list is new
    UPDATED = "updated"
    #: known already, with all of this
    UNCHANGED = "unchanged"
    #: the address must not be mailed: nothing else was written
    SUPPRESSED = "suppressed"
    #: left one of the lists before, and stays off it
    KEPT_OUT = "kept_out"


class Entry(NamedTuple):
    """A person to be put on lists: where they are to stand on each, and when and from where they had agreed.

    `bars` are suppressions to write, by list, None for everywhere; without `stands` nothing else is written.
    """

    person: Profile
    stands: Mapping[int, SubscriptionState] | None
    bars: Mapping[int | None, SuppressionReason] = {}
    joined: datetime | None = None
    consented: datetime | None = None
    ip: str = ""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How people are put on lists: `basis` are the words that say how they agreed."""

    method: str
    basis: str
    mode: Mode = Mode.UPDATE
    resubscribe: bool = False


def join(
    session: Session, people: Sequence[Profile], *, on: Collection[int], method: str, basis: str, keyring: Keyring,
    now: datetime, resubscribe: bool = False,
) -> list[Outcome]:  # fmt: skip
    """Put each of the people on each of the lists, confirmed, with a consent row for it; return the outcomes in order.

    Each address may occur once. A profile adds to what is known and overwrites it where it says something. Only
    `resubscribe` brings back who left.
    """
    stands = dict.fromkeys(on, _CONFIRMED)
    terms = Terms(method=method, basis=basis, resubscribe=resubscribe)
    return enter(session, [Entry(person, stands) for person in people], terms, keyring=keyring, now=now)


def enter(
    session: Session, entries: Sequence[Entry], terms: Terms, *, keyring: Keyring, now: datetime
) -> list[Outcome]:
    """Write what the entries say, and a consent row for each change of standing; return the outcomes in order.

    Each address may occur once; up to some twenty thousand are handled well. A subscriber who appears between the
    look and the writing, by a sign-up on PostgreSQL, is an IntegrityError: do it again.
    """
    known.lock(session)
    keys = [entry.person.address.key for entry in entries]
    found = known.among(session, keys, keyring)
    batch = _Batch(terms=terms, now=now, moment=bulk.moments(session))
    welcome = [_welcome(batch, key, entry, found) for key, entry in zip(keys, entries, strict=True)]
    new = [entry for key, entry in zip(keys, welcome, strict=True) if entry and key not in found.people]
    old = [entry for key, entry in zip(keys, welcome, strict=True) if entry and key in found.people]
    _number(session, batch, new, old if terms.mode is not Mode.ADD else [])
    for number, entry in zip(bulk.numbers(session, Subscriber, len(new)), new, strict=True):
        _add(batch, number, entry)
    outcomes = _update(session, batch, old, found)
    _write(session, batch)
    added, suppressed = Outcome.ADDED, Outcome.SUPPRESSED
    return [outcomes.get(key, added) if entry else suppressed for key, entry in zip(keys, welcome, strict=True)]


@dataclass(kw_only=True)
class _Batch:
    """What is to be written, table by table; new rows as `bulk.insert` takes them, value on value."""

    terms: Terms
    now: datetime
    moment: Callable[[datetime], Any]
    topics: dict[str, int] = field(default_factory=dict)
    people: list[Any] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)
    unchosen: list[dict[str, int]] = field(default_factory=list)
    standings: list[Any] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    proofs: list[Any] = field(default_factory=list)
    bars: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hash, self.at = consent.digest(self.terms.basis), self.moment(self.now)

    def stand(self, number: int, on: int, state: SubscriptionState) -> None:
        """Add the row of a subscriber who never stood on the list."""
        self.standings += (on, number, _VALUE[state], self.at)

    def prove(self, number: int, on: int, state: SubscriptionState, entry: Entry) -> None:
        """Add the consent row that goes with a subscriber's new standing."""
        words, digest, ip, at = self.terms.basis, self.hash, entry.ip, self.at
        if state is _LEFT:
            words = digest = ip = ""
        elif entry.consented:
            at = self.moment(entry.consented)
        self.proofs += (number, on, _PROVED_BY[state], self.terms.method, words, digest, "", "", ip, "", at)


def _welcome(batch: _Batch, key: str, entry: Entry, found: Known) -> Entry | None:
    """Return the entry less the lists that must not mail the address, None where nobody may; note new suppressions."""
    if key in found.erased:
        return None
    for on, reason in entry.bars.items() if entry.bars else ():
        batch.bars.append({
            "email_key": key, "list_id": on, "reason": reason, "source": batch.terms.method, "event_id": None,
            "at": batch.now, "lifted_at": None, "lifted_by": "",
        })  # fmt: skip
    if entry.stands is None or key in found.barred:
        return None
    if key not in found.closed:
        return entry
    stands = {on: state for on, state in entry.stands.items() if state is _LEFT or on not in found.closed[key]}
    return entry._replace(stands=stands) if stands or not entry.stands else None


def _number(session: Session, batch: _Batch, *groups: Sequence[Entry]) -> None:
    batch.topics = topics.ensure(session, {name for group in groups for entry in group for name in entry.person.topics})


def _add(batch: _Batch, number: int, entry: Entry) -> None:
    (email, key, smtputf8), name, language, country, audience, frequency, chosen, attributes = entry.person
    local, _, domain = key.rpartition("@")
    batch.people += (
        number, email, key, name, language, country, audience, _VALUE[frequency or Frequency.EVERY_ISSUE],
        json.dumps(attributes) if attributes else "{}", smtputf8, flags.role_account(local), flags.disposable(domain),
        batch.moment(entry.joined) if entry.joined else batch.at,
    )  # fmt: skip
    for topic in chosen:
        batch.chosen += (number, batch.topics[topic])
    for on, state in (entry.stands or {}).items():
        batch.stand(number, on, state)
        batch.prove(number, on, state, entry)


def _update(session: Session, batch: _Batch, entries: Sequence[Entry], found: Known) -> dict[str, Outcome]:
    """Note what changes for those who are known; return their outcomes by key."""
    numbers = [found.people[entry.person.address.key].id for entry in entries]
    lists = {on for entry in entries for on in entry.stands or ()}
    before = known.standings(session, numbers, lists)
    choosing = batch.terms.mode is Mode.REPLACE_TOPICS or any(entry.person.topics for entry in entries)
    chosen = known.choices(session, numbers if choosing else [])
    outcomes = {}
    for number, entry in zip(numbers, entries, strict=True):
        row = found.people[entry.person.address.key]
        touched = False
        if batch.terms.mode is not Mode.ADD:
            touched = _merge(batch, entry.person, row) | _choose(batch, entry.person, number, chosen)
        moved, kept_out = _move(batch, entry, number, before)
        outcome = Outcome.UPDATED if touched or moved else Outcome.UNCHANGED
        outcomes[entry.person.address.key] = Outcome.KEPT_OUT if kept_out else outcome
    return outcomes


def _merge(batch: _Batch, person: Profile, row: Row[Any]) -> bool:
    merged = {name: getattr(person, name) or getattr(row, name) for name in _MERGED}
    attributes = {**row.attributes, **person.attributes}
    if attributes == row.attributes and all(getattr(row, name) == value for name, value in merged.items()):
        return False
    batch.changes.append({"number": row.id, **merged, "attributes": attributes})
    return True


def _choose(batch: _Batch, person: Profile, number: int, chosen: Mapping[int, set[int]]) -> bool:
    before, wanted = chosen.get(number, set()), {batch.topics[topic] for topic in person.topics}
    gone = before - wanted if batch.terms.mode is Mode.REPLACE_TOPICS else set()
    batch.chosen += [value for topic in sorted(wanted - before) for value in (number, topic)]
    batch.unchosen += [{"number": number, "topic": topic} for topic in gone]
    return bool(gone or wanted - before)


def _move(batch: _Batch, entry: Entry, number: int, before: Mapping[Pair, SubscriptionState]) -> tuple[bool, bool]:
    """Note where somebody is to stand; return whether anything moves, and whether they stay out of a list."""
    moved = kept_out = False
    for on, state in (entry.stands or {}).items():
        stood = before.get((number, on))
        if stood is _LEFT and state is not _LEFT and not batch.terms.resubscribe:
            kept_out = True
            continue
        if stood is state or (stood is _CONFIRMED and state is _PENDING):
            continue
        if stood is None:
            batch.stand(number, on, state)
        else:
            batch.moves.append({"number": number, "on": on, "to": state, "now": batch.now})
        batch.prove(number, on, state, entry)
        moved = True
    return moved, kept_out


def _write(session: Session, batch: _Batch) -> None:
    bulk.insert(session, Subscriber, _PERSON_COLUMNS, batch.people)
    if batch.changes:
        fields: dict[str, Any] = {name: bindparam(name) for name in (*_MERGED, "attributes")}
        session.execute(update(_PERSON).where(_PERSON.c.id == bindparam("number")).values(fields), batch.changes)
    bulk.insert(session, SubscriberTopic, ("subscriber_id", "topic_id"), batch.chosen)
    choice = (_CHOICE.c.subscriber_id == bindparam("number")) & (_CHOICE.c.topic_id == bindparam("topic"))
    upsert.many(session, delete(_CHOICE).where(choice), batch.unchosen)
    bulk.insert(session, Subscription, _STANDING_COLUMNS, batch.standings)
    standing = (_STANDING.c.subscriber_id == bindparam("number")) & (_STANDING.c.list_id == bindparam("on"))
    to: dict[str, Any] = {"state": bindparam("to"), "changed_at": bindparam("now")}
    upsert.many(session, update(_STANDING).where(standing).values(to), batch.moves)
    bulk.insert(session, Consent, _CONSENT_COLUMNS, batch.proofs)
    suppressions.write(session, batch.bars, now=batch.now)
