"""Attributes: what a desk declares that it may know of a subscriber, beside the fields that everybody has."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from subscribers import upsert, words
from subscribers.errors import BadValue, Refused
from subscribers.models import Attribute, AttributeType, Subscriber

_TABLE, _PERSON = upsert.table(Attribute), upsert.table(Subscriber)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,78}[a-z0-9]|[a-z]")
_INT = re.compile(r"[+-]?[0-9]{1,15}")
_FLOAT = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{1,15})?|\.[0-9]{1,15})")
_YES, _NO = {"yes", "true", "1", "on", "y", "t"}, {"no", "false", "0", "off", "n", "f"}
_FIELDS = (
    "email name language country audience frequency topics lists list status joined domain attributes attribute id"
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
    row = {
        "name": name, "type": type, "description": words.line("a description", description, 400), "created_at": now,
    }  # fmt: skip
    made = session.execute(upsert.into(session, Attribute).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    if made.first() is None:
        raise Refused(f"the attribute {name} is declared already; see it: newsletter subscribers attributes list")


def all(session: Session) -> list[AttributeView]:
    """Return every declared attribute, by name."""
    rows = session.execute(select(_TABLE.c.name, _TABLE.c.type, _TABLE.c.description).order_by(_TABLE.c.name)).all()
    return [AttributeView(**row._mapping, subscribers=_count(session, row.name)) for row in rows]


def types(session: Session) -> dict[str, AttributeType]:
    """Return the type of each declared attribute."""
    return dict(session.execute(select(_TABLE.c.name, _TABLE.c.type)).all())


def remove(session: Session, name: str) -> int:
    """Take a declaration back and forget the values; return how many subscribers had one."""
    if name not in types(session):
        raise words.missing("subscribers attribute", name, types(session))
    had = _count(session, name)
    session.execute(update(_PERSON).where(_holds(name)).values(attributes=_without(session, name)))
    session.execute(delete(_TABLE).where(_TABLE.c.name == name))
    return had


def read(name: str, type: AttributeType, given: object) -> Value:
    """Return the value of an attribute's type that a text or a JSON value says; raise BadValue for anything else."""
    text = str(given).strip(" \t") if not isinstance(given, str) else given.strip(" \t")
    match type:
        case AttributeType.STR:
            return words.line(f"the attribute {name}", text, 2000)
        case AttributeType.INT if _INT.fullmatch(text):
            return int(text)
        case AttributeType.FLOAT if _FLOAT.fullmatch(text):
            return float(text)
        case AttributeType.BOOL if text.lower() in _YES | _NO:
            return text.lower() in _YES
        case AttributeType.DATE:
            try:
                return date.fromisoformat(
                    text[:10] if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]", text) else text
                ).isoformat()
            except ValueError:
                pass
    raise BadValue(text, f"the attribute {name} is declared as {_SAYS[type]}")


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


def _holds(name: str) -> Any:
    return _PERSON.c.attributes[name].as_string().is_not(None)


def _count(session: Session, name: str) -> int:
    return session.scalar(select(func.count()).select_from(_PERSON).where(_holds(name))) or 0


def _without(session: Session, name: str) -> Any:
    from sqlalchemy import JSON, Text, cast
    from sqlalchemy.dialects.postgresql import JSONB

    if session.get_bind().dialect.name == "postgresql":
        return cast(cast(_PERSON.c.attributes, JSONB).op("-")(cast(name, Text)), JSON)
    return func.json_remove(_PERSON.c.attributes, f"$.{name}")  # the name is letters, digits and underscores
