"""Subscribers: the people, and what the desk knows of each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, select
from sqlmodel import Session

from subscribers import addresses, consent, erasures, joining, profiles, suppressions, upsert
from subscribers.attributes import types
from subscribers.errors import NotFound, Refused
from subscribers.joining import Outcome
from subscribers.lists import ids_of
from subscribers.models import (
    Frequency,
    MailingList,
    Subscriber,
    SubscriberTopic,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.tokens import Keyring

_PERSON = upsert.table(Subscriber)
_STANDING = upsert.table(Subscription)
_LIST = upsert.table(MailingList)
_TOPIC = upsert.table(Topic)
_CHOICE = upsert.table(SubscriberTopic)
_BARRED = upsert.table(Suppression)
_FIELDS = (
    "id", "email", "name", "language", "country", "audience", "frequency", "attributes", "smtputf8", "role_account",
    "disposable", "joined_at", "paused_until", "uncounted",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SubscriberView:
    """A subscriber: `subscriptions` is the state on each list by name, `suppressed` the reason, empty when none."""

    id: int
    email: str
    name: str
    language: str
    country: str
    audience: str
    frequency: Frequency
    attributes: dict[str, Any]
    smtputf8: bool
    role_account: bool
    disposable: bool
    topics: list[str]
    subscriptions: dict[str, str]
    suppressed: str
    joined_at: datetime
    paused_until: datetime | None
    uncounted: bool


def add(
    session: Session, email: str, *, lists: Sequence[str], topics: Sequence[str] = (), name: str = "",
    language: str = "", country: str = "", audience: str = "", attributes: Mapping[str, str] | None = None,
    method: str = "admin", basis: str = "added by hand", resubscribe: bool = False, keyring: Keyring, now: datetime,
) -> SubscriberView:  # fmt: skip
    """Put one person on the lists, confirmed by the desk; who is suppressed or left before is refused.

    `basis` says how they agreed and goes into the consent row; `resubscribe` brings back who left and asked to return.
    """
    person = profiles.check(
        email, name=name, language=language, country=country, audience=audience, topics=topics, attributes=attributes,
        declared=types(session),
    )  # fmt: skip
    on = ids_of(session, lists)
    basis = consent.basis(basis)
    _require_mailable(session, person.address.email, lists)
    with session.begin_nested():
        if resubscribe:
            erasures.forget(session, keyring, person.address.key)
        [outcome] = joining.join(
            session, [person], on=on, method=method, basis=basis, keyring=keyring, now=now, resubscribe=resubscribe
        )
        _refuse(person.address, outcome)
    return find(session, email)


def _require_mailable(session: Session, email: str, lists: Sequence[str]) -> None:
    for barred in suppressions.of(session, email):
        if barred.lifted_at is None and (not barred.list or barred.list in lists):
            where, lift = (f" on {barred.list}", f" --list {barred.list}") if barred.list else ("", "")
            raise Refused(
                f"{email} must not be mailed{where} ({barred.reason}, {barred.at:%Y-%m-%d}); nothing was changed; "
                f"if that is wrong, lift it first: newsletter suppressions remove {email}{lift}"
            )


def _refuse(address: addresses.Address, outcome: Outcome) -> None:
    if outcome is Outcome.SUPPRESSED:
        raise Refused(
            f"{address.email} was erased at its owner's wish; nothing was changed; "
            "only if they asked to return: newsletter subscribers add --resubscribe"
        )
    if outcome is Outcome.KEPT_OUT:
        raise Refused(
            f"{address.email} left one of these lists; nothing was changed; "
            "only if they asked to return: newsletter subscribers add --resubscribe"
        )


def find(session: Session, email: str) -> SubscriberView:
    """Return the subscriber with this address, however it is spelled; raise NotFound when there is none."""
    found = known(session, email)
    if found is None:
        raise NotFound(f"nobody subscribed as {email}; add them: newsletter subscribers add {email} --list NAME")
    return found


def known(session: Session, email: str) -> SubscriberView | None:
    """Return the subscriber with this address, however it is spelled, None when there is none."""
    which = select(_PERSON.c.id).where(_PERSON.c.email_key == addresses.parse(email).key)
    return next(iter(_views(session, which)), None)


def remove(session: Session, id: int) -> None:
    """Delete a subscriber with their subscriptions and choices; what happened stays, and names them no more."""
    session.execute(delete(_PERSON).where(_PERSON.c.id == id))


def get(session: Session, id: int) -> SubscriberView | None:
    """Return the subscriber with this number, None when there is none."""
    return next(iter(_views(session, select(_PERSON.c.id).where(_PERSON.c.id == id))), None)


def all(session: Session, *, list: str | None = None, limit: int | None = None, after: int = 0) -> list[SubscriberView]:
    """Return subscribers in the order they came, those after a number, only of one list when it is named."""
    which = select(_PERSON.c.id).where(_PERSON.c.id > after).order_by(_PERSON.c.id).limit(limit)
    if list is not None:
        which = which.join(_STANDING).where(_STANDING.c.list_id.in_(ids_of(session, [list])))
    return _views(session, which)


def _views(session: Session, which: Select[int]) -> list[SubscriberView]:
    """Return what is known of the people chosen, in three statements however many they are."""
    barred = and_(
        _BARRED.c.email_key == _PERSON.c.email_key, _BARRED.c.lifted_at.is_(None), _BARRED.c.list_id.is_(None)
    )
    people = select(_PERSON, _BARRED.c.reason).select_from(_PERSON.outerjoin(_BARRED, barred))
    chosen = select(_CHOICE.c.subscriber_id, _TOPIC.c.name).join_from(_CHOICE, _TOPIC).order_by(_TOPIC.c.name)
    stands = select(_STANDING.c.subscriber_id, _LIST.c.name, _STANDING.c.state).join_from(_STANDING, _LIST)
    topics: defaultdict[int, list[str]] = defaultdict(list)
    for subscriber, topic in session.execute(chosen.where(_CHOICE.c.subscriber_id.in_(which))):
        topics[subscriber].append(topic)
    states: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for subscriber, on, state in session.execute(
        stands.where(_STANDING.c.subscriber_id.in_(which)).order_by(_LIST.c.name)
    ):
        states[subscriber][on] = state.value
    return [
        SubscriberView(
            **{field: getattr(row, field) for field in _FIELDS}, topics=topics[row.id], subscriptions=states[row.id],
            suppressed=row.reason.value if row.reason else "",
        )
        for row in session.execute(people.where(_PERSON.c.id.in_(which)).order_by(_PERSON.c.id))
    ]  # fmt: skip
