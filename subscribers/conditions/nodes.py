"""What a condition is made of once it is understood, and the two ways in which a database can be asked it.

Asked of everybody at once, whom a fact is known of is one set, found by its index; asked of one person after another,
each is looked up in it. SQLite does as it is told. PostgreSQL makes the best of EXISTS, and a loop of IN under `or`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import BindParameter, Column, ColumnElement, Select, and_, not_, or_, true

from subscribers import upsert
from subscribers.models import Subscriber

PERSON = upsert.table(Subscriber)


@dataclass(frozen=True, kw_only=True)
class Test:
    """Something that a subscriber's own row tells; it holds or it does not, and is never unknown."""

    text: str
    holds: ColumnElement[bool]


@dataclass(frozen=True, kw_only=True)
class Among:
    """The subscriber is one of those whom a query names; `once`, `ordered` and `wide` as in history.Known."""

    text: str
    ids: Select[int] | Select[str]
    key: Column[int] | Column[str]
    once: bool = False
    ordered: bool = False
    wide: bool = False

    @property
    def member(self) -> ColumnElement[int]:
        """Return the column by which the query names a subscriber."""
        found: ColumnElement[int] = self.ids.selected_columns[0]
        return found


@dataclass(frozen=True)
class Not:
    """The part does not hold; with a text of its own it is written as one part, such as `plan <> 'pro'`."""

    part: "Node"
    text: str = ""


@dataclass(frozen=True)
class Every:
    """All the parts hold."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Either:
    """At least one of the parts holds."""

    parts: tuple["Node", ...]


Node = Test | Among | Not | Every | Either
_Member = Callable[[Among], ColumnElement[bool]]


def at_once(node: Node, database: str) -> ColumnElement[bool]:
    """Return the condition as it is best asked of everybody at once."""
    return _expression(node, _looked_up if database == "postgresql" else _in_the_set)


def one_by_one(node: Node, database: str, *, after: BindParameter[int] | None = None) -> ColumnElement[bool]:
    """Return the condition as it is best asked of subscribers in order, those after a number when it is given."""
    if after is None or database != "postgresql":
        return _expression(node, _looked_up)
    return _expression(node, lambda among: _looked_up(among, after))


def parts(node: Node) -> tuple[Node, ...]:
    """Return what must all hold."""
    return node.parts if isinstance(node, Every) else (node,)


def leaves(node: Node) -> Iterator[Test | Among]:
    """Yield every part that is not made of others, in the order in which they are written."""
    match node:
        case Test() | Among():
            yield node
        case Not():
            yield from leaves(node.part)
        case Every() | Either():
            for part in node.parts:
                yield from leaves(part)


def _expression(node: Node, member: _Member) -> ColumnElement[bool]:
    match node:
        case Test():
            return node.holds
        case Among():
            return member(node)
        case Not():
            return not_(_expression(node.part, member))
        case Every():
            return and_(true(), *[_expression(part, member) for part in node.parts])
        case Either():
            return or_(*[_expression(part, member) for part in node.parts])


def _in_the_set(among: Among) -> ColumnElement[bool]:
    return among.key.in_(among.ids.correlate(None))


def _looked_up(among: Among, after: BindParameter[int] | None = None) -> ColumnElement[bool]:
    rows = among.ids.where(among.member == among.key)
    if after is not None and among.key is PERSON.c.id:
        rows = rows.where(among.member > after)  # the database does not see by itself that this follows
    return rows.correlate(PERSON).exists()
