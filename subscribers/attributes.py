"""Attributes: what a desk declares that it may know of a subscriber, beside the fields that everybody has."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Text, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from subscribers import upsert, words
from subscribers.errors import BadValue, NotFound, Refused
from subscribers.models import Attribute, AttributeType, Subscriber

_TABLE, _PERSON = upsert.table(Attribute), upsert.table(Subscriber)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,78}[a-z0-9]|[a-z]")
_INT = re.compile(r"[+-]?[0-9]{1,15}")
_FLOAT = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{1,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?")
_LARGEST = 10.0**15
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?")
_ALL_OF_THEM = "all of them: newsletter subscribers attributes list"
_YES, _NO = {"yes", "true", "1", "on", "y", "t"}, {"no", "false", "0", "off", "n", "f"}
_FIELDS = (
    "email name first_name last_name language country audience frequency topics lists list status joined consented "
    "consent_ip domain attributes attribute id"
)
_FACTS = "received opened clicked bounced complained unsubscribed suppressed disposable role_account"
_SYNTAX = "and or not in has within before after is null true false issue day days"
#: Words that mean something else in a file to import or in a condition.
RESERVED = frozenset(f"{_FIELDS} {_FACTS} {_SYNTAX}".split())

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class AttributeView:
    """A declared attribute, and how many subscribers have it."""

    name: str
    type: AttributeType
    description: str
    subscribers: int


def add(
    session: Session, name: str, *, type: AttributeType = AttributeType.STR, description: str = "", now: datetime
) -> None:
    """Declare an attribute; its values are checked from then on."""
    if not _NAME.fullmatch(name) or "__" in name:
        raise BadValue(name, "an attribute's name is a letter, then letters, digits and underscores, such as plan")
    if name in RESERVED:
        raise BadValue(name, f"the word has a meaning of its own already; choose another, such as their_{name}")
    description = words.line("a description", description, 400)
    row = {"name": name, "type": type, "description": description, "created_at": now}
    made = session.execute(upsert.into(session, Attribute).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    if made.first() is None:
        raise Refused(f"the attribute {name} is declared already; see it: newsletter subscribers attributes list")


def all(session: Session) -> list[AttributeView]:
    """Return every declared attribute, by name."""
    rows = session.execute(select(_TABLE.c.name, _TABLE.c.type, _TABLE.c.description).order_by(_TABLE.c.name)).all()
    counts = _counts(session, [row.name for row in rows])
    return [AttributeView(**row._mapping, subscribers=counts[row.name]) for row in rows]


def types(session: Session) -> dict[str, AttributeType]:
    """Return the type of each declared attribute."""
    return dict(session.execute(select(_TABLE.c.name, _TABLE.c.type)).all())


def count(session: Session, name: str) -> int:
    """Return how many subscribers have a declared attribute; raise NotFound when there is none."""
    if name not in (known := types(session)):
        raise NotFound(f"there is no attribute {name[:80]!r}{words.near(name, known)} ({_ALL_OF_THEM})")
    return _counts(session, [name])[name]


def require_unused(session: Session, name: str) -> None:
    """Refuse an attribute that a segment asks about."""
    from subscribers import segments

    if using := segments.using(session, name):
        raise Refused(
            f"the attribute {name} is asked about by {', '.join(using)}; nothing was changed; "
            f"first: newsletter segments edit {using[0]} (or delete)"
        )


def remove(session: Session, name: str) -> int:
    """Take a declaration back and forget the values; return how many subscribers had one."""
    had = count(session, name)
    require_unused(session, name)
    session.execute(update(_PERSON).where(_value(name).is_not(None)).values(attributes=_without(session, name)))
    session.execute(delete(_TABLE).where(_TABLE.c.name == name))
    return had


def read(name: str, type: AttributeType, given: object) -> Value:
    """Return the value of an attribute's type that a text or a JSON value says; raise BadValue for anything else."""
    text = str(given).strip(" \t")
    match type:
        case AttributeType.STR:
            return words.line(f"the attribute {name}", text, 2000)
        case AttributeType.INT if _INT.fullmatch(text):
            return int(text)
        case AttributeType.FLOAT if _FLOAT.fullmatch(text) and abs(float(text)) < _LARGEST:
            return float(text)
        case AttributeType.BOOL if text.lower() in _YES | _NO:
            return text.lower() in _YES
        case AttributeType.DATE:
            if (found := _day(text)) is not None:
                return found.isoformat()
    raise BadValue(text, f"the attribute {name} is declared as {_SAYS[type]}")


def _day(text: str) -> date | None:
    """Return the day of a text that is one, or a moment; None for anything else."""
    if _DAY.fullmatch(text):
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            return None
    return None


_SAYS = {
    AttributeType.INT: "int: a whole number of at most 15 digits",
    AttributeType.FLOAT: "float: a number such as 12 or 0.5",
    AttributeType.BOOL: "bool: yes or no",
    AttributeType.DATE: "date: a day such as 2026-01-31",
}


def unknown(name: str, declared: Collection[str]) -> BadValue:
    """Return the error for an attribute that nobody declared."""
    return BadValue(
        name,
        f"no attribute of this name is declared{words.near(name, declared)} "
        f"(declare it: newsletter subscribers attributes add {name} --type str)",
    )


def _value(name: str) -> ColumnElement[str]:
    value: ColumnElement[str] = _PERSON.c.attributes[name].as_string()
    return value


def _counts(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Return how many subscribers have each attribute, in one pass over them."""
    if not names:
        return {}
    found = session.execute(select(*[func.count(_value(name)) for name in names]).select_from(_PERSON)).one()
    return dict(zip(names, found, strict=True))


def _without(session: Session, name: str) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return cast(cast(_PERSON.c.attributes, JSONB).op("-")(cast(name, Text)), JSON)
    return func.json_remove(_PERSON.c.attributes, f'$."{name}"')
