"""Sign-ups: a reader's own wish to join a list, as a page or a form passes it on.

What a page answers must be the same for every outcome: who is known here is nobody else's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import Session

from subscribers import confirmations, consent, erasures, flags, lists, profiles, suppressions, topics, upsert
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


class Outcome(StrEnum):
    """What a sign-up came to."""

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
    """An outcome, and the question to mail when there is one."""

    outcome: Outcome
    subscriber_id: int | None = None
    asked: Asked | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the reader saw and from where they answered: `shown` are the words beside the button."""

    shown: str
    version: str = ""
    method: str = "form"
    ip: str = ""
    user_agent: str = ""


def sign_up(
    session: Session, email: str, *, list: str, form: Form, name: str = "", language: str = "",
    topics: Iterable[str] = (), frequency: Frequency = Frequency.EVERY_ISSUE, keyring: Keyring, now: datetime,
) -> SignUp:  # fmt: skip
    """Let a reader join a list by their own wish: pending until they confirm by mail, where the list is double opt-in.

    Who left before may come back so. Nothing that is known of somebody is overwritten: a stranger may have typed their
    address. Raises BadAddress, BadValue, NotFound, and Refused when no words were shown.
    """
    person = profiles.check(email, name=name, language=language, topics=topics)
    wanted = lists.get(session, list)
    if not form.shown.strip():
        raise Refused("a sign-up needs the words that the reader agreed to; they are the proof")
    if suppressions.bars(session, person.address.key, on=wanted.id):
        return SignUp(outcome=Outcome.SUPPRESSED)
    number = _ensure(session, person, frequency, now)
    double = wanted.opt_in is OptIn.DOUBLE
    if not _stand(
        session, number, wanted.id, SubscriptionState.PENDING if double else SubscriptionState.CONFIRMED, now
    ):
        return SignUp(outcome=Outcome.ALREADY, subscriber_id=number)
    word = {"method": form.method, "form_version": form.version, "ip": form.ip, "user_agent": form.user_agent}
    if double:
        asked = confirmations.ask(session, number, wanted.id, shown=form.shown, now=now, **word)
        return SignUp(outcome=Outcome.ASKED, subscriber_id=number, asked=asked)
    consent.record(session, [(number, wanted.id)], event=ConsentEvent.CONFIRMED, shown=form.shown, now=now, **word)
    erasures.forget(session, keyring, person.address.key)
    return SignUp(outcome=Outcome.JOINED, subscriber_id=number)


def _ensure(session: Session, person: Profile, frequency: Frequency, now: datetime) -> int:
    """Return the number of the subscriber with this address; a new one is kept with all that they said."""
    address = person.address
    local, _, domain = address.key.rpartition("@")
    row = {
        "email": address.email, "email_key": address.key, "smtputf8": address.smtputf8, "name": person.name,
        "language": person.language, "country": person.country, "audience": person.audience, "frequency": frequency,
        "attributes": {}, "joined_at": now, "role_account": flags.role_account(local),
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


def _stand(session: Session, subscriber_id: int, list_id: int, state: SubscriptionState, now: datetime) -> bool:
    """Put the reader where they asked to be on the list; False when they are on it, confirmed, already."""
    values = {"state": state, "changed_at": now}
    statement = upsert.into(session, Subscription).values(subscriber_id=subscriber_id, list_id=list_id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["list_id", "subscriber_id"], set_=values,
        where=_STANDING.c.state != SubscriptionState.CONFIRMED,
    )  # fmt: skip
    return session.execute(statement.returning(_STANDING.c.id)).first() is not None
