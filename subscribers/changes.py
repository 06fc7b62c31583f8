"""Changes: what the desk corrects about one person, field by field, all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from subscribers import addresses, attributes, erasures, flags, profiles, subscribers, suppressions, topics, upsert
from subscribers.errors import Refused
from subscribers.models import Frequency, Subscriber
from subscribers.subscribers import SubscriberView
from subscribers.tokens import Keyring

_PERSON = upsert.table(Subscriber)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to be different: None leaves a field as it is, an empty text empties it.

    `topics` are added and `not_topics` taken away; an attribute set to an empty text is forgotten.
    """

    email: str | None = None
    name: str | None = None
    language: str | None = None
    country: str | None = None
    audience: str | None = None
    frequency: Frequency | None = None
    topics: Sequence[str] = ()
    not_topics: Sequence[str] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> list[str]:
        """Return the names of what is to be different."""
        return [name for name, value in vars(self).items() if value is not None and value != () and value != {}]


def apply(session: Session, email: str, change: Change, *, keyring: Keyring) -> SubscriberView:
    """Change one person and return them; raise NotFound, BadValue or Refused, and then nothing is changed."""
    known = subscribers.find(session, email)
    new = {
        name: value
        for name in ("name", "language", "country", "audience")
        if (value := getattr(change, name)) is not None
    }
    checked = profiles.check(known.email, **new, topics=change.topics)
    row: dict[str, Any] = {name: getattr(checked, name) for name in new}
    if change.frequency is not None:
        row["frequency"] = change.frequency
    if change.attributes:
        row["attributes"] = _attributes(session, known.attributes, change.attributes)
    if change.email is not None:
        row |= _address(session, known, change.email, keyring)
    if row:
        session.execute(update(_PERSON).where(_PERSON.c.id == known.id).values(row))
    gone = {topics.word(name) for name in change.not_topics}
    wanted = ({*known.topics, *checked.topics}) - gone
    if wanted != set(known.topics):
        topics.ensure(session, checked.topics)
        topics.choose(session, known.id, wanted)
    return subscribers.find(session, change.email or email)


def _attributes(session: Session, known: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    declared = attributes.types(session)
    for name in given:
        if name not in declared:
            raise attributes.unknown(name, declared)
    kept = {name: attributes.read(name, declared[name], text) for name, text in given.items() if text.strip()}
    return {name: value for name, value in {**known, **kept}.items() if name not in given or name in kept}


def _address(session: Session, known: SubscriberView, text: str, keyring: Keyring) -> dict[str, Any]:
    """Return the columns of another address; one that somebody has, or that must not be mailed, is refused."""
    address = addresses.parse(text)
    other = session.scalar(select(_PERSON.c.id).where(_PERSON.c.email_key == address.key, _PERSON.c.id != known.id))
    if other is not None:
        raise Refused(f"{address.email} is another subscriber; see them: newsletter subscribers show {address.email}")
    standing = suppressions.standing(session, address.key)
    if standing is not None:
        raise Refused(
            f"{address.email} must not be mailed ({standing.reason}, {standing.at:%Y-%m-%d}); nothing was changed; "
            f"if that is wrong, lift it first: newsletter suppressions remove {address.email}"
        )
    if erasures.among(session, keyring, [address.key]):
        raise Refused(f"{address.email} was erased at its owner's wish; nothing was changed")
    local, _, domain = address.key.rpartition("@")
    return {
        "email": address.email, "email_key": address.key, "smtputf8": address.smtputf8,
        "role_account": flags.role_account(local), "disposable": flags.disposable(domain),
    }  # fmt: skip
