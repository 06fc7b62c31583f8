"""Parts: the share of an audience that goes first, chosen by lot and the same however often it is drawn."""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Subquery, and_, case, cast, func, literal, select

from newsletter.errors import BadInput

#: A Mersenne prime. The fifth power is one-to-one modulo it, as 5 does not divide it less one, and fits into 64 bits.
_PRIME = 2**31 - 1
#: Shares are counted in millionths, as both databases divide whole numbers alike and do not round alike.
_WHOLE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Parts:
    """How an audience is divided: `share` of it goes first, evenly under so many subjects; 0 divides nothing."""

    share: float = 0
    variants: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise BadInput(
                f"a share of an audience lies between 0 and 1, and {self.share:g} does not; write 0.05 or 5%"
            )

    def __bool__(self) -> bool:
        """Return whether there is anything to divide."""
        return self.share > 0


#: Everybody at once.
UNDIVIDED = Parts()


def lot(issue_id: int, subscriber_id: ColumnElement[int]) -> ColumnElement[int]:
    """Return a reader's lot in the draw for one issue: another order of the same readers for each issue.

    It is arithmetic that SQLite and PostgreSQL do alike, as they have no hash in common.
    """
    seed = int.from_bytes(hashlib.sha256(b"%d" % issue_id).digest()[:4]) % _PRIME
    start = (cast(subscriber_id, BigInteger) + seed) % _PRIME
    square = start * start % _PRIME
    return square * square % _PRIME * start % _PRIME


def divided(chosen: Subquery, issue_id: int, parts: Parts) -> Subquery:
    """Return the readers who were chosen, with `part` and `variant` for each; whoever gets no copy has part 0."""
    waits = chosen.c.reason == ""
    order = (lot(issue_id, chosen.c.subscriber_id), chosen.c.subscriber_id)
    drawn = select(
        *chosen.c,
        func.row_number().over(partition_by=waits, order_by=order).label("drawn"),
        func.count().over(partition_by=waits).label("of"),
    ).subquery("drawn")
    first = and_(drawn.c.reason == "", drawn.c.drawn <= _first(drawn.c.of, parts))
    variant = case((first, (drawn.c.drawn - 1) % parts.variants), else_=literal(0))
    named: list[ColumnElement[Any]] = [drawn.c[column.name] for column in chosen.c]
    return select(
        *named, case((first, literal(1)), else_=literal(0)).label("part"), variant.label("variant")
    ).subquery()


def _first(readers: ColumnElement[int], parts: Parts) -> ColumnElement[int]:
    """Return how many readers go first: the share, rounded, and one for each subject at least."""
    count = (readers * round(parts.share * _WHOLE) + _WHOLE // 2) // _WHOLE
    return case((count < parts.variants, literal(parts.variants)), else_=count)
