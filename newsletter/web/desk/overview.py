"""The overview: what waits for somebody, and for whom."""

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import Response

from newsletter.delivery import report
from newsletter.discovery import inbox
from newsletter.editorial import hands, standings
from newsletter.editorial.models import BriefingState
from newsletter.issues import choosing, issues
from newsletter.issues.models import IssueState
from newsletter.web.desk.visit import Seen
from newsletter.web.site import READ

router = APIRouter()

#: The states of an issue that is nobody's work any more.
_OVER = (IssueState.SENT, IssueState.CANCELLED)


@router.api_route("/desk", methods=READ)
def show(visit: Seen) -> Response:
    """Show what waits: stories, texts in review, texts for an issue, issues on their way."""
    with visit.glance() as session:
        waiting = Counter(item.state for item in inbox.waiting(session, now=visit.now))
        review = standings.all(session, state=BriefingState.IN_REVIEW)
        mine = {each.id: hands.of(session, each, visit.who) for each in review}
        chosen = choosing.choose(session, now=visit.now)
        texts = {each.id: each for each in standings.all(session, state=BriefingState.APPROVED)}
        under_way = [each for each in issues.all(session) if each.state not in _OVER]
        progress = {each.id: report.status(session, each.id, now=visit.now) for each in under_way}
        drafts = standings.all(session, state=BriefingState.DRAFT)
    return visit.page(
        "overview", waiting=waiting, review=review, mine=mine, chosen=chosen, texts=texts, issues=under_way,
        progress=progress, drafts=drafts,
    )  # fmt: skip
