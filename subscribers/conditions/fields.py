"""What a condition can ask about: fields, topics and lists, attributes, facts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import Session, SQLModel

from subscribers import attributes, history, upsert, words
from subscribers.history import Fact
from subscribers.models import AttributeType, Frequency, MailingList, Topic

#: The fields that are columns, and the one spelling in which each is kept.
TEXTS: dict[str, Callable[[str], str]] = {"country": str.upper, "language": str.lower, "audience": str, "name": str}
FLAGS = ("suppressed", "disposable", "role_account", "smtputf8")

#: Every field, with an example of how it is asked.
USES = {
    "country": "country = 'DE'",
    "language": "language in ('en', 'de')",
    "audience": "audience <> 'chip-buyers'",
    "name": "name = 'Ada Brandt'",
    "email": "email = 'ada@example.com'",
    "domain": "domain = 'example.com'",
    "frequency": f"frequency = '{Frequency.WEEKLY}'",
    "topics": "topics has 'energy', or topics has any of ('energy', 'grid')",
    "lists": "lists has 'weekly'",
    "joined": "joined within 30 days, or joined before '2026-01-01'",
    "attributes": "attributes.plan = 'pro'",
    **{name: f"{name}, or not {name}" for name in FLAGS},
    **{name: f"{name} issue 12, {name} within 30 days, or {name} alone" for name in history.WORDS},
}
_ASKED = {
    AttributeType.STR: "{0} = 'pro'",
    AttributeType.INT: "{0} >= 10",
    AttributeType.FLOAT: "{0} > 0.5",
    AttributeType.BOOL: "{0}, or {0} = false",
    AttributeType.DATE: "{0} before '2026-01-31', or {0} within 30 days",
}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a desk has that conditions name: attributes by type, topics and lists by number, facts; and its database."""

    database: str
    attributes: Mapping[str, AttributeType] = field(default_factory=dict)
    topics: Mapping[str, int] = field(default_factory=dict)
    lists: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def use(self, name: str) -> str:
        """Return an example of how a field or an attribute is asked."""
        return USES[name] if name in USES else _ASKED[self.attributes[name]].format(name)

    def missing(self, name: str) -> str:
        """Return the sentence that says there is no such field, and which one was probably meant."""
        fields = ", ".join([*USES, *sorted(self.attributes)])
        return (
            f"there is no field {name[:40]!r}{words.near(name, [*USES, *self.attributes])} (fields: {fields}; "
            "or declare an attribute: newsletter subscribers attributes add)"
        )


def known(session: Session) -> Known:
    """Return what the session's desk has that conditions name."""
    return Known(
        database=session.get_bind().dialect.name,
        attributes=attributes.types(session),
        topics=_numbers(session, Topic),
        lists=_numbers(session, MailingList),
        facts=history.facts(),
    )


def _numbers(session: Session, model: type[SQLModel]) -> dict[str, int]:
    named = upsert.table(model)
    return dict(session.execute(select(named.c.name, named.c.id)).all())
