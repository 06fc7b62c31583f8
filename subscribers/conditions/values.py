"""Values: what stands to the right in a condition, and the attributes that it is compared with.

Attributes lie typed in one JSON column. An absent one is as empty: it equals '' and nothing else, and no order holds.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, or_
from sqlglot import exp

from subscribers.conditions.language import After, Before, wrong
from subscribers.conditions.nodes import PERSON
from subscribers.models import AttributeType

#: The most days that are counted back or ahead: a hundred years.
DAYS = 36_500
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"([0-9]{1,15})?(\.[0-9]{1,15})?")
_ORDERS = {exp.LT: operator.lt, exp.LTE: operator.le, exp.GT: operator.gt, exp.GTE: operator.ge}


@dataclass(frozen=True)
class Attribute:
    """A declared attribute, as a database compares it; every comparison holds or does not, and is never unknown."""

    name: str
    type: AttributeType
    database: str

    def is_one_of(self, right: Sequence[exp.Expr]) -> ColumnElement[bool]:
        """Return that it is one of the values written; '' is the absent one."""
        given = [value for value in right if not _is_empty(value)]
        empty = [self._text == ""] if len(given) < len(right) else []
        match self.type:
            case AttributeType.STR:
                return equals(self._text, [text(value) for value in right])
            case AttributeType.DATE:
                return equals(self._text, ["" if _is_empty(value) else day(value).isoformat() for value in right])
            case AttributeType.BOOL:
                return or_(*empty, *[self.is_true() if truth(value) else self._is_false() for value in given])
        numbers = [self._number(value) for value in given]
        return or_(*empty, *([self._if_number(lambda stored: equals(stored, numbers))] if numbers else []))

    def is_ordered(self, node: exp.Binary) -> ColumnElement[bool]:
        """Return that it is less or more than the number written."""
        number = self._number(node.expression)
        return self._if_number(lambda stored: _ORDERS[type(node)](stored, number))

    def is_true(self) -> ColumnElement[bool]:
        """Return that it is given and true."""
        return self._if(("boolean", "true"), lambda: self._stored.as_boolean().is_(True))

    def _is_false(self) -> ColumnElement[bool]:
        return self._if(("boolean", "false"), lambda: self._stored.as_boolean().is_(False))

    def is_day(self, limit: exp.Binary, now: datetime) -> ColumnElement[bool]:
        """Return that it is given, and before or after a day, or within some days of now."""
        today = now.date()
        match limit:
            case Before():
                return and_(self._text != "", self._text < day(limit.expression).isoformat())
            case After():
                return self._text > day(limit.expression).isoformat()
        span = timedelta(days=whole(limit.expression, "the days are", DAYS))
        first, last = (today, today + span) if limit.args["ahead"] else (today - span, today)
        return self._text.between(first.isoformat(), last.isoformat())

    @property
    def _stored(self) -> Any:
        return PERSON.c.attributes[self.name]

    @property
    def _text(self) -> ColumnElement[str]:
        return func.coalesce(self._stored.as_string(), "")

    def _number(self, value: exp.Expr) -> float:
        return number(value, f"{self.name} is", only_whole=self.type is AttributeType.INT)

    def _if_number(self, compare: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
        return self._if(("number", "integer", "real"), lambda: compare(self._stored.as_float()))

    def _if(self, kinds: Sequence[str], compare: Callable[[], ColumnElement[bool]]) -> ColumnElement[bool]:
        # At one value that does not read as the type PostgreSQL ends the whole query, and SQLite compares it somehow.
        if self.database == "postgresql":
            kind = func.json_typeof(self._stored)
        else:
            kind = func.json_type(PERSON.c.attributes, f'$."{self.name}"')
        return case((kind.in_(kinds), compare()), else_=false())


def text(node: exp.Expr) -> str:
    """Return the text that a value is."""
    if not isinstance(node, exp.Literal) or not node.is_string:
        raise wrong(node, "a value is a text in single quotes, such as 'DE'")
    return node.name


def number(node: exp.Expr, what: str, *, only_whole: bool = False) -> float:
    """Return the number that a value is, below nothing too."""
    sign, digits = (-1, node.this) if isinstance(node, exp.Neg) else (1, node)
    if not isinstance(digits, exp.Literal) or digits.is_string or not _NUMBER.fullmatch(digits.name):
        raise wrong(node, f"{what} a number of at most 15 digits, such as 12, without quotes")
    if only_whole and "." in digits.name:
        raise wrong(node, f"{what} a whole number, such as 12")
    return sign * float(digits.name)


def whole(node: exp.Expr, what: str, largest: int) -> int:
    """Return the whole number from 1 that a value is."""
    if not isinstance(node, exp.Literal) or node.is_string or not node.name.isdecimal() or len(node.name) > 15:
        raise wrong(node, f"{what} a whole number from 1 to {largest}")
    found = int(node.name)
    if not 1 <= found <= largest:
        raise wrong(node, f"{what} a whole number from 1 to {largest}")
    return found


def day(node: exp.Expr) -> date:
    """Return the day that a value is."""
    said = text(node)
    try:
        found = date.fromisoformat(said) if _DAY.fullmatch(said) else None
    except ValueError:
        found = None
    if found is None or not 1000 <= found.year <= 9998:
        raise wrong(node, "a day is written '2026-01-31'")
    return found


def truth(node: exp.Expr) -> bool:
    """Return the yes or no that a value is."""
    said = node.name.lower() if isinstance(node, exp.Column) and len(node.parts) == 1 else ""
    if said not in ("true", "false"):
        raise wrong(node, "a yes or no is written true or false, without quotes")
    return said == "true"


def equals(left: ColumnElement[Any], right: Sequence[Any]) -> ColumnElement[bool]:
    """Return that the left is one of the values; one is compared as one, so that an index keeps its order."""
    return left == right[0] if len(right) == 1 else left.in_(right)


def all_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return that all hold; of several, as one condition in brackets."""
    return and_(*conditions) if len(conditions) > 1 else conditions[0]


def _is_empty(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string and node.name == ""
