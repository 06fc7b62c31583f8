"""Explanations: for one person, which part of a condition holds and which does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from subscribers import segments, subscribers
from subscribers.conditions import nodes
from subscribers.conditions.nodes import PERSON, Either, Every, Node, Not


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a condition, and whether it holds for somebody.

    `joined` says how it is made of its own parts: by `and`, `or` or `not`; empty for one that stands alone.
    """

    condition: str
    holds: bool
    joined: str = ""
    parts: tuple["Part", ...] = ()


def explain(session: Session, name: str, email: str, *, now: datetime) -> Part:
    """Return a segment as the tree of its parts, each with whether it holds for one person."""
    person = subscribers.find(session, email)
    condition = segments.read(session, name, now=now)
    asked = [nodes.one_by_one(leaf, condition.database) for leaf in nodes.leaves(condition.tree)]
    holds = session.execute(select(*asked).select_from(PERSON).where(PERSON.c.id == person.id)).one()
    return _part(condition.tree, iter(holds))


def _part(node: Node, holds: Iterator[bool]) -> Part:
    """Return the part for a node; the leaves take whether they hold in the order in which they are written."""
    match node:
        case Not() if node.text:
            return Part(condition=node.text, holds=not next(holds))
        case Not():
            inner = _part(node.part, holds)
            return Part(condition=f"not {_bracketed(inner)}", holds=not inner.holds, joined="not", parts=(inner,))
        case Every() | Either():
            parts = tuple(_part(part, holds) for part in node.parts)
            joined, total = ("and", all) if isinstance(node, Every) else ("or", any)
            text = f" {joined} ".join(map(_bracketed, parts))
            return Part(condition=text, holds=total(part.holds for part in parts), joined=joined, parts=parts)
    return Part(condition=node.text, holds=bool(next(holds)))


def _bracketed(part: Part) -> str:
    return f"({part.condition})" if part.joined in ("and", "or") else part.condition


_HEADS = {"and": "all of:", "or": "one of:", "not": "not:"}


def rows(part: Part, depth: int = 0) -> Iterator[tuple[bool, str]]:
    """Yield the part and under it its own parts, each with whether it holds, deeper ones further to the right."""
    yield part.holds, "  " * depth + (_HEADS[part.joined] if part.joined else part.condition)
    for inner in part.parts:
        yield from rows(inner, depth + 1)
