"""Rehearsals: a dry run keeps whom it counted, so that a send can say what is different by then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, insert, literal, select, update
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import audiences
from newsletter.delivery.audiences import Size
from newsletter.delivery.tables import REHEARSAL, REHEARSED


@dataclass(frozen=True, kw_only=True)
class RehearsalView:
    """The newest dry run of an issue: for whom it was, and how many would have got a copy."""

    lists: tuple[str, ...]
    segments: tuple[str, ...]
    size: int
    at: datetime
    actor: str

    def is_for(self, lists: Sequence[str], segments: Sequence[str]) -> bool:
        """Return whether it was for these lists and segments, in whatever order."""
        return set(self.lists) == set(lists) and set(self.segments) == set(segments)

    def __str__(self) -> str:
        """Return it as a sentence has it."""
        return f"the dry run of {self.at:%Y-%m-%d %H:%M} UTC, which counted {self.size}"


def keep(
    session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], actor: str, now: datetime
) -> Size:
    """Keep whom the issue would go to now, in the place of an earlier dry run; return how many they are."""
    forget(session, issue_id)
    words = {"lists": list(lists), "segments": list(segments)}
    session.execute(insert(REHEARSAL), {"issue_id": issue_id, "size": 0, "at": now, "actor": actor, **words})
    chosen = audiences.choose(session, issue_id, lists=lists, segments=segments, now=now).subquery()
    readers = select(literal(issue_id), chosen.c.subscriber_id).where(chosen.c.reason == "")
    kept = insert(REHEARSED).from_select(["issue_id", "subscriber_id"], readers)
    made = session.execute(kept.execution_options(preserve_rowcount=True))
    counted: int = made.rowcount  # type: ignore[attr-defined]
    session.execute(update(REHEARSAL).where(REHEARSAL.c.issue_id == issue_id).values(size=counted))
    audit.append(session, "rehearsed", actor=actor, kind="issue", name=issue_id, now=now, audience=counted, **words)
    size = audiences.count(session, issue_id, lists=lists, segments=segments, now=now)
    return replace(size, readers=counted)


def find(session: Session, issue_id: int) -> RehearsalView | None:
    """Return the newest dry run of an issue, None where there was none."""
    row = session.execute(select(REHEARSAL).where(REHEARSAL.c.issue_id == issue_id)).first()
    if row is None:
        return None
    lists, segments = tuple(row.lists), tuple(row.segments)
    return RehearsalView(lists=lists, segments=segments, size=row.size, at=row.at, actor=row.actor)


def forget(session: Session, issue_id: int) -> None:
    """Drop the dry run of an issue: it has another, or its audience is planned."""
    session.execute(delete(REHEARSED).where(REHEARSED.c.issue_id == issue_id))
    session.execute(delete(REHEARSAL).where(REHEARSAL.c.issue_id == issue_id))
