"""What the readers of an issue's list have had lately, and which of its items tell them that again."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from newsletter.editorial import research
from newsletter.editorial.evidence import Sent
from newsletter.editorial.models import Revision
from newsletter.issues.content import IssueContent
from newsletter.issues.models import Issue, IssueKind, IssueState, Item

_GONE_OUT = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def resembling(session: Session, content: IssueContent, *, now: datetime) -> dict[str, tuple[Sent, ...]]:
    """Return by briefing what the readers of the issue's list had within 180 days that has its sources, or its words.

    An issue that says no list may have gone to any, and an issue for no list may go to any.
    """
    issue = session.get(Issue, content.id)
    if issue is None or content.correction:
        return {}
    lately = _lately(session, issue, now)
    found = {item.document.id: tuple(research.resembling(item.document, lately)) for item in content.items}
    return {id: sent for id, sent in found.items() if sent}


def _lately(session: Session, issue: Issue, now: datetime) -> Mapping[str, tuple[datetime, str]]:
    moment = func.coalesce(col(Issue.sent_at), col(Issue.frozen_at))
    same = (col(Revision.briefing_id) == Item.briefing_id) & (col(Revision.sha256) == Item.sha256)
    query = (
        select(Item.briefing_id, moment, Revision.text)
        .join(Issue, col(Issue.id) == Item.issue_id)
        .join(Revision, same)
        .where(
            Issue.id != issue.id, Issue.kind == IssueKind.DIGEST, col(Issue.state).in_(_GONE_OUT),
            moment > now - research.LATELY,
        )
        .order_by(moment, col(Revision.id))
    )  # fmt: skip
    if issue.list:
        query = query.where(col(Issue.list).in_(("", issue.list)))
    return {id: (at, text) for id, at, text in session.exec(query)}
