"""Review by link: a person without a terminal reads a text with all that is known of it, and decides. A GET never."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from sqlmodel import Session

from newsletter.editorial import briefings, changes, comments, invitations, people, reports, research, standings
from newsletter.editorial.claims import Unsupported
from newsletter.editorial.invitations import InvitationState, InvitationView
from newsletter.editorial.names import UNSEEN
from newsletter.errors import NewsletterError
from newsletter.rendering import layout
from newsletter.web.briefings import sections
from newsletter.web.forms import Sent, one
from newsletter.web.site import READ, Here, Site
from subscribers import knocks

router = APIRouter()

#: How often a link may be used to say something, within which time.
MOST, WITHIN = 30, timedelta(hours=1)


@router.api_route("/review/{token}", methods=READ)
def show(token: str, site: Here) -> Response:
    """Show the text of a link with all that is known of it, or what became of the link."""
    return _page(site, token)


@router.post("/review/{token}")
def act(token: str, site: Here, sent: Sent) -> Response:
    """Approve, send back or comment the very text that was shown, in the name of the link's person."""
    with site.reading() as session:
        invitation = _known(site, session, token)
    action, words = one(sent, "action"), one(sent, "words")
    if action not in ("approve", "reject", "comment") or one(sent, "sha256") != invitation.sha256:
        raise HTTPException(400)
    with site.transaction() as session:
        if not knocks.allow(session, site.keyring, "review", token, most=MOST, within=WITHIN, now=site.clock()):
            raise HTTPException(429, "Too much was said by this link; try again in an hour.", {"Retry-After": "3600"})
        folder = site.settings.briefings  # an edit that no command came upon yet voids the link too
        briefings.refresh(session, folder, actor=UNSEEN, now=site.clock(), only=[invitation.briefing])
    try:
        with site.transaction() as session:
            _act(site, session, token, action, words)
    except NewsletterError as error:
        return _page(site, token, said=str(error), failed=True, words=words)
    return _page(site, token, said="Your comment is noted." if action == "comment" else "")


def _act(site: Site, session: Session, token: str, action: str, words: str) -> None:
    now = site.clock()
    match action:
        case "approve":
            solo, block, rights = site.settings.publication.solo, site.settings.check.block, site.settings.rights
            invitations.approve(session, token, note=words, solo=solo, block=block, rights=rights, now=now)
        case "reject":
            invitations.reject(session, token, note=words, now=now)
        case "comment":
            invitations.comment(session, token, words, now=now)


def _page(site: Site, token: str, *, said: str = "", failed: bool = False, words: str = "") -> Response:
    with site.reading() as session:
        invitation = _known(site, session, token)
        if invitation.state == InvitationState.OPEN:
            known = _known_of(site, session, invitation)
            return site.page("review", status=409 if failed else 200, said=said, failed=failed, words=words, **known)
    gone = invitation.state != InvitationState.ANSWERED
    return site.page("review_closed", status=410 if gone else 200, invitation=invitation)


def _known(site: Site, session: Session, token: str) -> InvitationView:
    found = invitations.look(session, token, now=site.clock())
    if found is None:
        raise HTTPException(404)
    return found


def _known_of(site: Site, session: Session, invitation: InvitationView) -> Mapping[str, Any]:
    """Return what a reviewer should know of a text before deciding."""
    here, now = standings.get(session, invitation.briefing), site.clock()
    seen = research.gather(session, here, now=now)
    return {
        "invitation": invitation,
        "reviewer": people.get(session, invitation.person).name,
        "document": here.document,
        "direction": layout.direction(here.document.language),
        "sections": sections(here.document),
        "report": reports.run(session, here, block=site.settings.check.block, rights=site.settings.rights, now=now),
        "overlap": seen.overlap,
        "claims": _claims(seen.unsupported),
        "changes": changes.since(session, here.id),
        "comments": comments.all(session, here.id),
    }


def _claims(found: Unsupported | None) -> list[tuple[str, Any]]:
    kinds = vars(found) if found else {}
    return [(kind.removesuffix("s"), claim) for kind, claims in kinds.items() for claim in claims]
