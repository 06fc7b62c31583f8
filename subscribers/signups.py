"""Sign-ups: a reader's own wish to join lists, as a page or a program passes it on.

What a page answers must be the same for every outcome: who is known here is nobody else's business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from subscribers import confirmations, consent, erasures, flags, lists, notices, profiles, suppressions, topics, upsert
from subscribers.attributes import types
from subscribers.confirmations import Asked
from subscribers.errors import Refused
from subscribers.models import (
    ConsentEvent,
    Frequency,
    OptIn,
    Subscriber,
    SubscriberTopic,
    Subscription,
    SubscriptionState,
)
from subscribers.profiles import Profile
from subscribers.tokens import Keyring

_PERSON, _STANDING = upsert.table(Subscriber), upsert.table(Subscription)
NOTHING: Mapping[str, Any] = {}


class Outcome(StrEnum):
    """What a sign-up came to on one list."""

    #: a confirmation is to be mailed; `asked` holds it
    ASKED = "asked"
    #: the list asks for no confirmation, and they are on it
    JOINED = "joined"
    #: they were on it already; nothing changed
    ALREADY = "already"
    #: the address must not be mailed; nothing was written
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """The outcome on each list by its name, and the questions to mail when there are any."""

    outcomes: Mapping[str, Outcome]
    subscriber_id: int | None = None
    asked: Asked | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the reader told us and from where; `relayed` says that somebody else tells us so.

    Where the word is relayed, who left a list or was erased is asked by mail, even where the list asks nobody.
    """

    version: str = ""
    method: str = "form"
    ip: str = ""
    user_agent: str = ""
    relayed: bool = False


def sign_up(
    session: Session, email: str, *, wishes: Mapping[str, str], form: Form, name: str = "", language: str = "",
    topics: Iterable[str] = (), attributes: Mapping[str, str] = NOTHING, frequency: Frequency = Frequency.EVERY_ISSUE,
    keyring: Keyring, now: datetime,
) -> SignUp:  # fmt: skip
    """Let a reader join lists by their own wish: pending until they confirm by mail, where a list is double opt-in.

    `wishes` has the words that they saw for each list. Who left before may come back so. Nothing that is known of
    somebody is overwritten: a stranger may have typed their address. Raises BadAddress, BadValue, NotFound, and Refused
    when no words were shown.
    """
    declared = types(session) if attributes else NOTHING
    person = profiles.check(
        email, name=name, language=language, topics=topics, attributes=attributes, declared=declared
    )
    wanted = [lists.get(session, each) for each in wishes]
    if not wanted or not all(shown.strip() for shown in wishes.values()):
        raise Refused("a sign-up needs a list, and the words that the reader agreed to; they are the proof")
    free = [each for each in wanted if not suppressions.bars(session, person.address.key, on=each.id)]
    outcomes = {each.name: Outcome.SUPPRESSED for each in wanted if each not in free}
    if not free:
        return SignUp(outcomes=outcomes)
    erased = form.relayed and bool(erasures.among(session, keyring, [person.address.key]))
    number = _ensure(session, person, frequency, now)
    for each in free:
        asks = each.opt_in is OptIn.DOUBLE or erased or (form.relayed and _left(session, number, each.id))
        outcomes[each.name] = _join(session, number, each.id, asks=asks, now=now)
    word = {"method": form.method, "form_version": form.version, "ip": form.ip, "user_agent": form.user_agent}
    for each in free:
        if outcomes[each.name] is Outcome.JOINED:
            on, shown = [(number, each.id)], wishes[each.name]
            consent.record(session, on, event=ConsentEvent.CONFIRMED, shown=shown, now=now, **word)
            erasures.forget(session, keyring, person.address.key)
            notices.tell(session, notices.CONFIRMED, subscriber_id=number, list_id=each.id, now=now)
    asked = {each.id: wishes[each.name] for each in free if outcomes[each.name] is Outcome.ASKED}
    return SignUp(
        outcomes=outcomes, subscriber_id=number,
        asked=confirmations.ask(session, number, asked, now=now, **word) if asked else None,
    )  # fmt: skip


def _ensure(session: Session, person: Profile, frequency: Frequency, now: datetime) -> int:
    """Return the number of the subscriber with this address; a new one is kept with all that they said."""
    address = person.address
    local, _, domain = address.key.rpartition("@")
    row = {
        "email": address.email, "email_key": address.key, "smtputf8": address.smtputf8, "name": person.name,
        "language": person.language, "country": person.country, "audience": person.audience, "frequency": frequency,
        "attributes": person.attributes, "joined_at": now, "role_account": flags.role_account(local),
        "disposable": flags.disposable(domain),
    }  # fmt: skip
    made: int | None = session.scalar(
        upsert.into(session, Subscriber).on_conflict_do_nothing().returning(_PERSON.c.id), row
    )
    if made is None:
        made = session.execute(select(_PERSON.c.id).where(_PERSON.c.email_key == address.key)).scalar_one()
        return made
    numbers = topics.ensure(session, person.topics)
    rows = [{"subscriber_id": made, "topic_id": topic} for topic in numbers.values()]
    upsert.many(session, upsert.into(session, SubscriberTopic).on_conflict_do_nothing(), rows)
    return made


def _join(session: Session, subscriber_id: int, list_id: int, *, asks: bool, now: datetime) -> Outcome:
    """Put the reader where they asked to be on a list, unless they are on it, confirmed, already."""
    values = {"state": SubscriptionState.PENDING if asks else SubscriptionState.CONFIRMED, "changed_at": now}
    statement = upsert.into(session, Subscription).values(subscriber_id=subscriber_id, list_id=list_id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["list_id", "subscriber_id"], set_=values,
        where=_STANDING.c.state != SubscriptionState.CONFIRMED,
    )  # fmt: skip
    if session.execute(statement.returning(_STANDING.c.id)).first() is None:
        return Outcome.ALREADY
    return Outcome.ASKED if asks else Outcome.JOINED


def _left(session: Session, subscriber_id: int, list_id: int) -> bool:
    left = (_STANDING.c.subscriber_id == subscriber_id, _STANDING.c.list_id == list_id)
    state = SubscriptionState.UNSUBSCRIBED
    return session.scalar(select(_STANDING.c.id).where(*left, _STANDING.c.state == state)) is not None
