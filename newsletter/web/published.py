"""Which of a briefing's texts readers were given: the one frozen in the newest issue that carries it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func
from sqlmodel import Session, col, select

from newsletter.issues.issues import PUBLISHED
from newsletter.issues.models import Issue, Item


@dataclass(frozen=True, kw_only=True)
class Published:
    """A briefing as an issue carries it; `related` are those frozen beside it, as (id, title)."""

    issue: int
    sha256: str
    related: tuple[tuple[str, str], ...] = ()


def find(session: Session, briefing: str) -> Published | None:
    """Return the newest fixed text of a briefing, as an item or as one named beside an item."""
    found = [*_as_item(session, briefing), *_as_related(session, briefing)]
    return max(found, key=lambda each: each.issue, default=None)


def since(session: Session, briefing: str) -> datetime | None:
    """Return when the first issue that carries a briefing went out to everybody, None while none has."""
    query = (
        select(func.min(Issue.sent_at)).join(Item, col(Item.issue_id) == Issue.id)
        .where(Item.briefing_id == briefing, col(Issue.state).in_(PUBLISHED))
    )  # fmt: skip
    return session.exec(query).first()


def _as_item(session: Session, briefing: str) -> Iterator[Published]:
    query = (
        select(Item).join(Issue, col(Issue.id) == Item.issue_id)
        .where(Item.briefing_id == briefing, col(Issue.state).in_(PUBLISHED))
        .order_by(col(Item.issue_id).desc()).limit(1)
    )  # fmt: skip
    for item in session.exec(query):
        related = tuple((each["briefing"], each["title"]) for each in item.related)
        yield Published(issue=item.issue_id, sha256=item.sha256, related=related)


def _as_related(session: Session, briefing: str) -> Iterator[Published]:
    query = (
        select(Item.issue_id, Item.related).join(Issue, col(Issue.id) == Item.issue_id)
        .where(col(Issue.state).in_(PUBLISHED), cast(Item.related, String).contains(f'"{briefing}"', autoescape=True))
        .order_by(col(Item.issue_id).desc())
    )  # fmt: skip
    for issue, related in session.exec(query):
        entry: dict[str, Any] | None = next((each for each in related if each["briefing"] == briefing), None)
        if entry:
            yield Published(issue=issue, sha256=entry["sha256"])
            return
