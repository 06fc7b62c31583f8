"""What changed in a briefing's text: since its approval, since the revision before, or since any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff

from sqlmodel import Session, col, select

from newsletter.editorial import standings
from newsletter.editorial.models import Revision
from newsletter.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Two texts of a briefing, and the lines between them: `-` taken out, `+` put in, others around."""

    briefing: str
    before: int
    after: int
    approved_by: str
    approved_at: datetime | None
    lines: tuple[str, ...]


def since_approval(session: Session, id: str) -> Changes:
    """Return what changed since somebody last said yes to a text."""
    approval = standings.newest_approval(session, id)
    if approval is None:
        standings.get(session, id)
        raise NotFound(f"nobody has approved briefing {id} yet; compare two revisions: --since revision")
    return _between(session, id, approval.revision, approved_by=approval.person, approved_at=approval.at)


def since_revision(session: Session, id: str, number: int | None = None) -> Changes:
    """Return what changed since a revision, or in the newest one."""
    newest = standings.get(session, id).revision
    if number is None:
        number = max(newest - 1, 1)
    return _between(session, id, number)


def since(session: Session, id: str) -> Changes:
    """Return what a reviewer has to read again: all since the last approval, else what the newest revision changed."""
    approved = standings.newest_approval(session, id)
    return since_approval(session, id) if approved else since_revision(session, id)


def _between(
    session: Session, id: str, number: int, *, approved_by: str = "", approved_at: datetime | None = None
) -> Changes:
    newest = standings.get(session, id).revision
    texts = _texts(session, id, (number, newest))
    if number not in texts:
        raise NotFound(f"briefing {id} has no revision {number}; it has 1 to {newest}")
    before, after = (texts[each].splitlines() for each in (number, newest))
    lines = unified_diff(before, after, f"revision {number}", f"revision {newest}", lineterm="", n=2)
    return Changes(
        briefing=id, before=number, after=newest, approved_by=approved_by, approved_at=approved_at, lines=tuple(lines)
    )


def _texts(session: Session, id: str, numbers: Sequence[int]) -> dict[int, str]:
    query = select(Revision.number, Revision.text).where(Revision.briefing_id == id, col(Revision.number).in_(numbers))
    return dict(session.exec(query).all())
