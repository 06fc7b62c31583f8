"""Choosing what goes into an issue: what waits, what is taken, and the words proposed from the lead."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from newsletter.editorial import approvals, briefings, text
from newsletter.editorial.document import Document
from newsletter.editorial.models import BriefingState
from newsletter.errors import Refused
from newsletter.issues.models import Issue, IssueState, Item

#: The longest preheader that phones still show whole.
PREHEADER = 99


def waiting(session: Session, *, since: datetime | None = None, topic: str = "", now: datetime) -> list[str]:
    """Return the approved briefings that no issue holds and that may be published now, newest first."""
    found = [
        standing
        for standing in briefings.all(session, state=BriefingState.APPROVED)
        if (since is None or standing.changed_at >= since) and (not topic or topic in standing.document.topics)
    ]
    taken = held(session, [standing.id for standing in found])
    fit = [standing for standing in found if standing.id not in taken and _publishable(session, standing.id, now)]
    return [standing.id for standing in sorted(fit, key=lambda each: (-each.changed_at.timestamp(), each.id))]


def _publishable(session: Session, briefing: str, now: datetime) -> bool:
    try:
        approvals.require(session, briefing, now=now)
    except Refused:  # embargoed or expired: it waits, and blocks nothing else
        return False
    return True


def held(session: Session, briefing_ids: Sequence[str]) -> dict[str, int]:
    """Return which of the briefings an issue that was not cancelled holds, with its number."""
    query = (
        select(Item.briefing_id, Item.issue_id)
        .join(Issue, col(Issue.id) == Item.issue_id)
        .where(col(Item.briefing_id).in_(briefing_ids), Issue.state != IssueState.CANCELLED)
    )
    return dict(session.exec(query).all())


def proposed(documents: Sequence[Document]) -> tuple[str, str]:
    """Return a subject (the lead's title) and a preheader (what else is in it, or how the lead begins)."""
    others = "; ".join(document.title for document in documents[1:])
    preheader = f"Also: {others}" if others else text.plain(documents[0].introduction)
    return documents[0].title, shorten(preheader, PREHEADER)


def shorten(text: str, limit: int) -> str:
    """Return the text cut at a word to at most `limit` characters, with an ellipsis where it was cut."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
