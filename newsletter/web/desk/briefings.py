"""Briefings: the text with all that is known of it beside it, and a person's decision on it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from sqlmodel import Session

from newsletter.editorial import (
    approvals,
    beside,
    briefings,
    changes,
    comments,
    decisions,
    hands,
    reports,
    research,
    standings,
)
from newsletter.editorial.models import BriefingState, Role
from newsletter.editorial.names import UNSEEN
from newsletter.editorial.standings import OPEN
from newsletter.errors import NewsletterError, Refused
from newsletter.rendering import layout
from newsletter.web.briefings import sections
from newsletter.web.desk.visit import Doing, Seen, Visit, there
from newsletter.web.forms import Sent, one
from newsletter.web.site import READ

router = APIRouter()

#: Who may do what, as the commands have it.
_MAY = {
    "approve": (Role.EDITOR, Role.STANDARDS), "reject": (Role.EDITOR, Role.STANDARDS), "submit": (Role.WRITER,),
    "comment": (Role.WRITER, Role.EDITOR, Role.STANDARDS),
}  # fmt: skip
_DONE = {
    "approve": "You approved this text.", "reject": "The text is back with its writer.",
    "submit": "The text waits for somebody else's yes.", "comment": "Your comment is noted.",
}  # fmt: skip


@router.api_route("/desk/briefings", methods=READ)
def listed(visit: Seen) -> Response:
    """List the briefings, those that can still change first."""
    with visit.glance() as session:
        found = standings.all(session)
    order = list(BriefingState)
    found = sorted(found, key=lambda each: (each.state not in OPEN, order.index(each.state), each.id))
    return visit.page("briefings", found=found)


@router.api_route("/desk/briefings/{id}", methods=READ)
def show(visit: Seen, id: str, said: str = "") -> Response:
    """Show a text as its file stands, with all that is known of it."""
    with there():
        return _page(visit, id, said=visit.told(said))


@router.post("/desk/briefings/{id}")
def act(visit: Doing, id: str, sent: Sent) -> Response:
    """Approve, send back, hand in or comment the very text that was shown."""
    action, words = one(sent, "action"), one(sent, "words")
    if action not in _MAY:
        raise HTTPException(400)
    with there():
        try:
            who = visit.may(*_MAY[action])
            visit.look(id, who=who if action == "submit" else UNSEEN)  # who hands a text in answers for its edits
            with visit.acting(*_MAY[action]) as session:
                _require_shown(session, id, one(sent, "sha256"))
                _act(visit, session, id, action, words)
        except NewsletterError as error:
            return _page(visit, id, said=str(error), failed=True, words=words)
    return visit.to(f"/briefings/{id}", said=_DONE[action])


def _require_shown(session: Session, id: str, sha256: str) -> None:
    if standings.get(session, id).sha256 != sha256:
        raise Refused(f"briefing {id} was edited since it was shown to you, and nothing was done; read it again below")


def _act(visit: Visit, session: Session, id: str, action: str, words: str) -> None:
    settings, who, now = visit.site.settings, visit.who, visit.now
    block, rights = settings.check.block, settings.rights
    match action:
        case "approve":
            solo = settings.publication.solo
            approvals.approve(session, id, actor=who, solo=solo, note=words, block=block, rights=rights, now=now)
        case "reject":
            decisions.reject(session, id, note=words, actor=who, now=now)
        case "submit":
            briefings.submit(session, id, actor=who, block=block, rights=rights, now=now)
        case "comment":
            comments.add(session, id, words, actor=who, now=now)


def _page(visit: Visit, id: str, *, said: str = "", failed: bool = False, words: str = "") -> Response:
    with visit.glance(id) as session:
        known = _known(visit, session, id)
    return visit.page("briefing", status=409 if failed else 200, said=said, failed=failed, words=words, **known)


def _known(visit: Visit, session: Session, id: str) -> Mapping[str, Any]:
    """Return what somebody should know of a text before they decide."""
    here, now, settings = standings.get(session, id), visit.now, visit.site.settings
    seen = research.gather(session, here, now=now)
    kinds = vars(seen.unsupported) if seen.unsupported else {}
    return {
        "here": here,
        "document": here.document,
        "direction": layout.direction(here.document.language),
        "sections": sections(here.document),
        "report": reports.run(session, here, block=settings.check.block, rights=settings.rights, now=now),
        "approval": approvals.standing(session, id),
        "hand": hands.of(session, here, visit.who),
        "solo": settings.publication.solo,
        "overlap": seen.overlap,
        "parts": beside.lay(research.read(here), seen.overlap) if seen.overlap else [],
        "claims": [(kind.removesuffix("s"), claim) for kind, claims in kinds.items() for claim in claims],
        "changes": changes.since(session, id),
        "comments": comments.all(session, id),
    }
