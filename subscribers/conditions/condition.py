"""A condition that is understood, and the queries that answer it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import ColumnElement, FromClause, Integer, Select, bindparam, distinct, func, select
from sqlglot import exp

from subscribers.conditions import language, nodes
from subscribers.conditions.fields import Known
from subscribers.conditions.nodes import PERSON, Among, Every, Node
from subscribers.conditions.reading import Reader, names_of

_AFTER, _LIMIT = bindparam("after", type_=Integer), bindparam("limit", type_=Integer)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition over Subscriber at a moment; `doubts` are sentences about what looks like a mistake in it."""

    tree: Node
    database: str
    doubts: tuple[str, ...]

    @property
    def where(self) -> ColumnElement[bool]:
        """Return the condition for a query of everybody."""
        return nodes.at_once(self.tree, self.database)

    def count(self) -> Select[int]:
        """Return the query of how many match."""
        if isinstance(self.tree, Among) and self.tree.key is PERSON.c.id and not self.tree.once:
            named = self.tree.ids.subquery()
            return select(func.count(distinct(named.c[0]))).select_from(named)
        parts = nodes.parts(self.tree)
        sets: list[FromClause] = [part.ids.subquery() for part in parts if isinstance(part, Among) and part.once]
        rest = [part for part in parts if not isinstance(part, Among) or not part.once]
        # Foreign keys see to it that whoever is named is a subscriber: without need no row of theirs is read.
        first, *more = sets if sets and not rest else [PERSON, *sets]
        query = select(func.count()).select_from(first)
        for another in more:
            query = query.join(another, another.c[0] == first.c[0])  # joined, so that the planner may begin with any
        return query.where(nodes.at_once(Every(tuple(rest)), self.database))

    @cached_property
    def page(self) -> Select[int, str]:
        """Return the query of the next `limit` who match after the number `after`, in order: number and address."""
        parts = nodes.parts(self.tree)
        driver = self._driver(parts)
        rest = nodes.one_by_one(Every(tuple(part for part in parts if part is not driver)), self.database, after=_AFTER)
        if driver is None:
            query = select(PERSON.c.id, PERSON.c.email).where(PERSON.c.id > _AFTER, rest)
            return query.order_by(PERSON.c.id).limit(_LIMIT)
        named = driver.ids.where(driver.member > _AFTER).subquery()
        query = select(named.c[0], PERSON.c.email).join_from(named, PERSON, named.c[0] == PERSON.c.id)
        query = query.where(PERSON.c.id > _AFTER, rest).order_by(named.c[0]).limit(_LIMIT)
        return query if driver.once else query.distinct()

    def _driver(self, parts: tuple[Node, ...]) -> Among | None:
        """Return the set that a page walks along instead of along the subscribers, None where that gains nothing."""
        # PostgreSQL would sort a whole set to take out its doubles, and does well without.
        ordered = [each for each in parts if isinstance(each, Among) and each.ordered]
        fitting = [each for each in ordered if each.once or self.database == "sqlite"]
        return min(fitting, key=lambda each: each.wide, default=None)


def compile(text: str, known: Known, *, now: datetime) -> Condition:
    """Return the condition as it stands at a moment; raise BadCondition for what is none."""
    reader = Reader(language.parse(text), known, now)
    tree = reader.read(reader.parsed.tree)
    return Condition(tree=tree, database=known.database, doubts=tuple(reader.doubts))


def named(text: str, field: str) -> frozenset[str]:
    """Return which topics or lists (the field) a condition names, in lower case."""
    asked = [node for node in language.parse(text).tree.find_all(language.Has) if names_of(node.this) == [field]]
    return frozenset(value.name.lower() for node in asked for value in node.expression.find_all(exp.Literal))


def names(text: str) -> frozenset[str]:
    """Return the fields and attributes that a condition asks about, known or not."""
    found = [names_of(node) for node in language.parse(text).tree.walk()]
    return frozenset(named[-1] for named in found if named)
