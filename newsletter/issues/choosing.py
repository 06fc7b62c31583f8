"""Choosing what goes into an issue: what waits, in which order, and what is taken."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, select

from newsletter.editorial import approvals, briefings, standings
from newsletter.editorial.approvals import ApprovalView
from newsletter.editorial.models import Briefing, BriefingState
from newsletter.editorial.standings import Standing
from newsletter.errors import Refused
from newsletter.issues import ranks, selecting
from newsletter.issues.models import Issue, IssueState, Item
from newsletter.issues.selecting import ENDLESS, Room, Selection

#: For how long after its approval a text that other lists had is news to one that had it not.
RECENT = timedelta(days=30)


def choose(
    session: Session, *, since: datetime | None = None, topic: str = "", list_name: str = "", room: Room = ENDLESS,
    besides: int = 0, now: datetime,
) -> Selection:  # fmt: skip
    """Return which approved briefings an issue takes, in order, and why others that wait are left out.

    By place, by score, then the newest. For a list, what readers of other lists have comes into question too. What the
    issue `besides` has, it can take again.
    """
    found = [
        (standing, at) for standing, at in _waiting(session, list_name, since, besides, now)
        if not topic or topic in standing.document.topics
    ]  # fmt: skip
    taken = held(session, [standing.id for standing, _ in found], besides=besides, list_name=list_name)
    left = {briefing: f"it is in issue {number}" for briefing, number in sorted(taken.items())}
    fit = []
    documents, ranking = {standing.id: standing.document for standing, _ in found}, ranks.all(session)
    for id in ranks.ordered([(standing.id, at) for standing, at in found], ranking):
        if id not in taken:
            try:
                require(session, id, now=now)
                fit.append(documents[id])
            except Refused as refusal:  # embargoed or expired: it waits, and blocks nothing else
                left[id] = str(refusal).removeprefix(f"briefing {id} cannot go out: ")
    selection = selecting.fit(fit, room)
    return Selection(picks=ranks.placed(selection.picks, ranking), left={**selection.left, **left})


def _waiting(
    session: Session, list_name: str, since: datetime | None, besides: int, now: datetime
) -> Iterator[tuple[Standing, datetime]]:
    """Yield what waits for an issue with the time of its approval: what nobody has, and for a list what others had."""
    for standing in briefings.all(session, state=BriefingState.APPROVED):
        if since is None or standing.changed_at >= since:
            yield standing, standing.changed_at
    if list_name:
        since = since or now - RECENT
        for id in _elsewhere(session, list_name, since, besides):
            approval = standings.newest_approval(session, id)
            if approval and approval.at >= since:
                yield standings.get(session, id), approval.at


def _elsewhere(session: Session, list_name: str, since: datetime, besides: int) -> list[str]:
    """Return the briefings that readers have, but none of this list, and that were sent since then."""
    had = select(Item.briefing_id).join(Issue, col(Issue.id) == Item.issue_id).where(_for(list_name))
    had = had.where(col(Issue.id) != besides)
    query = select(Briefing.id).where(
        Briefing.state == BriefingState.SENT, Briefing.changed_at >= since, col(Briefing.id).not_in(had)
    )
    return list(session.exec(query.order_by(col(Briefing.id))))


def _for(list_name: str) -> ColumnElement[bool]:
    """Return the condition that readers of a list may have an issue; what is for no list in particular is for all."""
    return col(Issue.list).in_(("", list_name)) if list_name else true()


def held(session: Session, briefing_ids: Sequence[str], *, besides: int = 0, list_name: str = "") -> dict[str, int]:
    """Return which of the briefings another issue for the list, that was not cancelled, holds, with its number.

    An issue that names no list is for all of them, and without a list any issue counts.
    """
    query = (
        select(Item.briefing_id, Item.issue_id)
        .join(Issue, col(Issue.id) == Item.issue_id)
        .where(col(Item.briefing_id).in_(briefing_ids), Issue.state != IssueState.CANCELLED, _for(list_name))
        .where(col(Issue.id) != besides)
    )
    return dict(session.exec(query).all())


def require(session: Session, briefing: str, *, sha256: str = "", now: datetime) -> ApprovalView:
    """Return the approval by which an issue may bring a briefing now; Refused where there is none, or it was wrong."""
    held = approvals.require(session, briefing, sha256=sha256, now=now)
    if standings.get(session, briefing).state is BriefingState.CORRECTED:
        raise Refused(
            f"briefing {briefing} cannot go out: it was found wrong after readers had it; write what is right: "
            "newsletter briefings new ID"
        )
    return held
