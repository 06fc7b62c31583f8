"""Segments: named conditions over subscribers, kept as the text their author wrote."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, select, update
from sqlalchemy import delete as delete_from
from sqlmodel import Session

from subscribers import upsert, words
from subscribers.errors import BadCondition, Refused
from subscribers.models import Segment

if TYPE_CHECKING:  # the language takes longer to load than the rest of a command, and most commands need no segment
    from subscribers.conditions import Condition

_TABLE = upsert.table(Segment)
_VIEW = select(_TABLE.c.name, _TABLE.c.condition, _TABLE.c.created_at).order_by(_TABLE.c.name)
#: How many a page of a scan holds.
PAGE = 5000
#: Somebody who matches: the subscriber's number and address. Plain, because a scan meets a million of them.
Member = tuple[int, str]


@dataclass(frozen=True, kw_only=True)
class SegmentView:
    """A segment as its author wrote it."""

    name: str
    condition: str
    created_at: datetime


def create(session: Session, name: str, condition: str, *, now: datetime) -> SegmentView:
    """Name a condition; raise BadCondition when it cannot be understood."""
    row = {"name": words.name("segment", name), "condition": condition.strip(), "created_at": now}
    understand(session, condition, now=now)
    made = session.execute(upsert.into(session, Segment).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    if made.first() is None:
        raise Refused(f"the segment {name} exists already; choose another name, or: newsletter segments edit {name}")
    return get(session, name)


def edit(session: Session, name: str, condition: str, *, now: datetime) -> SegmentView:
    """Give a segment another condition; raise BadCondition when it cannot be understood."""
    get(session, name)
    understand(session, condition, now=now)
    session.execute(update(_TABLE).where(_TABLE.c.name == name).values(condition=condition.strip()))
    return get(session, name)


def get(session: Session, name: str) -> SegmentView:
    """Return the segment; raise NotFound, with the names that are near, when there is none."""
    found = session.execute(_VIEW.where(_TABLE.c.name == name)).first()
    if found is None:
        raise words.missing("segment", name, [segment.name for segment in all(session)])
    return SegmentView(**found._mapping)


def all(session: Session) -> list[SegmentView]:
    """Return every segment, by name."""
    return [SegmentView(**row._mapping) for row in session.execute(_VIEW)]


def using(session: Session, field: str) -> list[str]:
    """Return the names of the segments that ask about a field or an attribute."""
    standing = all(session)
    if not standing:
        return []
    from subscribers import conditions

    return [segment.name for segment in standing if field in conditions.names(segment.condition)]


def naming(session: Session, field: str, value: str) -> list[str]:
    """Return the names of the segments that ask for one topic or one list (the field is `topics` or `lists`)."""
    standing = all(session)
    if not standing:
        return []
    from subscribers import conditions

    wanted = value.lower()
    return [segment.name for segment in standing if wanted in conditions.named(segment.condition, field)]


def require_unnamed(session: Session, field: str, value: str) -> None:
    """Refuse a topic or a list that a segment asks for: without it the segment would mean somebody else."""
    if asking := naming(session, field, value):
        raise Refused(
            f"the {field.removesuffix('s')} {value} is asked for by the segments {', '.join(asking)}; nothing was "
            f"changed; first: newsletter segments edit {asking[0]} (or delete)"
        )


def delete(session: Session, name: str) -> None:
    """Forget a segment; its subscribers stay as they are."""
    get(session, name)
    session.execute(delete_from(_TABLE).where(_TABLE.c.name == name))


def understand(session: Session, condition: str, *, now: datetime) -> "Condition":
    """Return what a text asks of this desk's subscribers; raise BadCondition when it cannot be understood."""
    from subscribers import conditions

    return conditions.compile(condition, conditions.known(session), now=now)


def read(session: Session, name: str, *, now: datetime) -> "Condition":
    """Return what a segment asks; raise NotFound, or BadCondition where what it names is there no more."""
    condition = get(session, name).condition
    try:
        return understand(session, condition, now=now)
    except BadCondition as error:
        mend = f'mend it: newsletter segments edit {name} "CONDITION"'
        raise BadCondition(
            f"the segment {name} is not understood any more: {error}; {mend}", column=error.column
        ) from error


def where(session: Session, name: str, now: datetime) -> ColumnElement[bool]:
    """Return the segment's condition over Subscriber, as it stands at a moment."""
    return read(session, name, now=now).where


def count(session: Session, name: str, now: datetime) -> int:
    """Return how many subscribers match, on whatever lists and in whatever state."""
    return matching(session, read(session, name, now=now))


def matching(session: Session, condition: "Condition") -> int:
    """Return how many subscribers match a condition."""
    return session.scalar(condition.count()) or 0


def sample(session: Session, name: str, *, limit: int = 10, now: datetime) -> list[str]:
    """Return the addresses of the first few who match."""
    return [email for _, email in page(session, read(session, name, now=now), limit=limit)]


def page(session: Session, condition: "Condition", *, after: int = 0, limit: int = PAGE) -> list[Member]:
    """Return the next who match, in the order of their numbers, after a number."""
    result = session.connection().execute(condition.page, {"after": after, "limit": limit})
    return list(result.cursor.fetchall()) if result.cursor else []


def scan(session: Session, name: str, *, after: int = 0, limit: int = PAGE, now: datetime) -> Iterator[Member]:
    """Yield everybody who matches, in the order of their numbers, after a number; `limit` are held at a time."""
    condition = read(session, name, now=now)
    while found := page(session, condition, after=after, limit=limit):
        yield from found
        if len(found) < limit:
            return
        after = found[-1][0]
