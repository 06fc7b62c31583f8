"""Which of a briefing's texts readers were given, and by whom it can be seen: by issue, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, or_
from sqlmodel import Session, col, select

from newsletter.editorial.models import Briefing, BriefingState
from newsletter.issues.issues import PUBLISHED
from newsletter.issues.models import Issue, Item, Visibility


@dataclass(frozen=True, kw_only=True)
class Published:
    """A briefing as an issue brings it; `related` are those frozen beside it, as (id, title)."""

    issue: int
    sha256: str
    visibility: Visibility
    related: tuple[tuple[str, str], ...] = ()

    @property
    def open(self) -> bool:
        """Return whether everybody who has its address can see it."""
        return self.visibility is not Visibility.SUBSCRIBERS


def find(session: Session, briefing: str, *, default: str) -> list[Published]:
    """Return each fixed text of a briefing, as an item or as one named beside an item, from the newest issue on."""
    beside = cast(Item.related, String).contains(f'"{briefing}"', autoescape=True)
    query = (
        select(Item, Issue.visibility).join(Issue, col(Issue.id) == Item.issue_id)
        .where(col(Issue.state).in_(PUBLISHED), or_(col(Item.briefing_id) == briefing, beside))
        .order_by(col(Item.issue_id).desc())
    )  # fmt: skip
    found = [_published(briefing, item, Visibility(visibility or default)) for item, visibility in session.exec(query)]
    return [each for each in found if each]


def _published(briefing: str, item: Item, visibility: Visibility) -> Published | None:
    if item.briefing_id == briefing:
        related = tuple((each["briefing"], each["title"]) for each in item.related)
        return Published(issue=item.issue_id, sha256=item.sha256, visibility=visibility, related=related)
    named: dict[str, Any] | None = next((each for each in item.related if each["briefing"] == briefing), None)
    return Published(issue=item.issue_id, sha256=named["sha256"], visibility=visibility) if named else None


def since(session: Session, briefing: str) -> datetime | None:
    """Return when the first issue that carries a briefing went out to everybody, None while none has."""
    query = (
        select(func.min(Issue.sent_at)).join(Item, col(Item.issue_id) == Issue.id)
        .where(Item.briefing_id == briefing, col(Issue.state).in_(PUBLISHED))
    )  # fmt: skip
    return session.exec(query).first()


def killed(session: Session, names: list[str]) -> frozenset[str]:
    """Return which of the briefings the desk no longer stands by."""
    query = select(Briefing.id).where(col(Briefing.id).in_(names), Briefing.state == BriefingState.KILLED)
    return frozenset(session.exec(query))
