"""Links whose clicks are counted: each leads to the address that was frozen with the issue, and to no other."""

import logging

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from newsletter.errors import DatabaseError
from newsletter.feedback import clicks
from newsletter.feedback.clicks import Visit
from newsletter.rendering import tracked
from newsletter.web.site import PERSONAL, READ, Here, Site
from subscribers.tokens import Purpose

router = APIRouter()

_log = logging.getLogger(__name__)


@router.api_route("/c/{token}/{number:int}", methods=READ)
def follow(token: str, number: int, site: Here, request: Request) -> Response:
    """Lead to where the link leads, and count that somebody went there, unless they say that they do not want it."""
    issue_id, subscriber_id = site.ticket(token, Purpose.CLICK)
    with site.reading() as session:
        links = tracked.all(session, issue_id)
    if number != tracked.CANARY and number not in links:
        raise HTTPException(404)
    now = site.clock()
    if request.method == "HEAD":
        site.heads.note((token, number), now)
    elif not _unwilling(request):
        visit = _visit(request, headed=site.heads.saw((token, number), now))
        _count(site, visit, issue_id, subscriber_id, number)
    return RedirectResponse(links.get(number) or f"{site.settings.publication.url}/", 302, headers=PERSONAL)


def _count(site: Site, visit: Visit, issue_id: int, subscriber_id: int, number: int) -> None:
    try:
        with site.transaction() as session:
            clicks.record(
                session, visit, issue_id=issue_id, subscriber_id=subscriber_id, number=number,
                tracking=site.settings.tracking, keyring=site.keyring, now=site.clock(),
            )  # fmt: skip
    except DatabaseError as error:  # the reader wants to get there, and that matters more
        _log.warning("a click was not counted: %s", error)


def _unwilling(request: Request) -> bool:
    """Return whether the browser asks for no tracking: Global Privacy Control, or Do Not Track."""
    return request.headers.get("sec-gpc") == "1" or request.headers.get("dnt") == "1"


def _visit(request: Request, *, headed: bool) -> Visit:
    purposes = (request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return Visit(
        ip=request.client.host if request.client else "", agent=request.headers.get("user-agent", "")[:400],
        ahead=any("prefetch" in each.lower() or "preview" in each.lower() for each in purposes), headed=headed,
    )  # fmt: skip
