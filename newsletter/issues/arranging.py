"""Arranging an issue: which briefings have a place in it, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete

from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues.models import Item


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """What an editor wants of an issue's items: some dropped, briefings added at the end, then some put first.

    `drop` and `order` name an item by its briefing, or by the number that it has in the issue. What `order` leaves out
    follows as it was. A briefing that is dropped and added comes back with the text that is approved now.
    """

    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether anything is to change."""
        return bool(self.drop or self.add or self.order)


#: The items stay where they are.
AS_IT_IS = Arrangement()


def arranged(items: Sequence[str], wish: Arrangement, *, issue: int) -> list[str]:
    """Return the briefings of an issue as an arrangement has them, in order."""
    dropped = [_named(name, items, items, issue) for name in wish.drop]
    left = [each for each in items if each not in dropped]
    for briefing in wish.add:
        if briefing in left:
            raise Refused(f"briefing {briefing} is in issue {issue} already; to move it, name it in --order")
        left.append(briefing)
    first = [_named(name, left, items, issue) for name in wish.order]
    for briefing in first:
        if first.count(briefing) > 1:
            raise BadInput(f"--order names {briefing} twice; an item has one place")
    if not left:
        raise Refused(f"issue {issue} would have no item; give it up instead: newsletter issues cancel {issue}")
    return [*first, *(each for each in left if each not in first)]


def moved(items: Sequence[str], name: str, by: int) -> tuple[str, ...]:
    """Return the items with one so many places further down, or up where that is less than 0, as far as there are."""
    order = [each for each in items if each != name]
    if name in items:
        order.insert(max(0, items.index(name) + by), name)
    return tuple(order)


def _named(name: str, there: Sequence[str], items: Sequence[str], issue: int) -> str:
    """Return which of the briefings that are there a name means; a number counts the issue's items."""
    numbers = {str(number): briefing for number, briefing in enumerate(items, start=1)}
    briefing = name if name in there else numbers.get(name, "")
    if briefing not in there:
        known = ", ".join(f"{number} {each}" for number, each in numbers.items() if each in there)
        raise NotFound(f"issue {issue} has no item {name!r}; it has: {known}")
    return briefing


def place(session: Session, issue: int, texts: Mapping[str, str]) -> None:
    """Give an issue these briefings as its items, in this order, each bound to the hash of its approved text."""
    session.execute(delete(Item).where(col(Item.issue_id) == issue))  # a place must be free before another takes it
    for position, (briefing, sha256) in enumerate(texts.items(), start=1):
        session.add(Item(issue_id=issue, position=position, briefing_id=briefing, sha256=sha256))
    session.flush()
