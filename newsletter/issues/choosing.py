"""Choosing what goes into an issue: what waits, what is taken, and the words proposed from the lead."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from newsletter.editorial import approvals, briefings, text
from newsletter.editorial.document import Document
from newsletter.editorial.models import BriefingState
from newsletter.errors import Refused
from newsletter.issues import selecting
from newsletter.issues.models import Issue, IssueState, Item
from newsletter.issues.selecting import ENDLESS, Room, Selection

#: The longest preheader that phones still show whole.
PREHEADER = 99


def choose(
    session: Session, *, since: datetime | None = None, topic: str = "", room: Room = ENDLESS, now: datetime
) -> Selection:
    """Return which approved briefings an issue takes, newest first, and why others that wait are left out."""
    found = [
        standing
        for standing in briefings.all(session, state=BriefingState.APPROVED)
        if (since is None or standing.changed_at >= since) and (not topic or topic in standing.document.topics)
    ]
    taken = held(session, [standing.id for standing in found])
    left = {briefing: f"it is in issue {number}" for briefing, number in sorted(taken.items())}
    fit = []
    for standing in sorted(found, key=lambda each: (-each.changed_at.timestamp(), each.id)):
        if standing.id not in taken:
            try:
                approvals.require(session, standing.id, now=now)
                fit.append(standing.document)
            except Refused as refusal:  # embargoed or expired: it waits, and blocks nothing else
                left[standing.id] = str(refusal).removeprefix(f"briefing {standing.id} cannot go out: ")
    selection = selecting.fit(fit, room)
    return Selection(picks=selection.picks, left={**selection.left, **left})


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
