"""An issue and its briefings by the link in a reader's mail, whoever else may see them."""

from collections.abc import Callable

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from newsletter.errors import NotFound
from newsletter.issues import issues, visibility
from newsletter.issues.archive import ListedIssue
from newsletter.rendering import press
from newsletter.rendering.slots import Slot
from newsletter.web import briefings, notices, reprint
from newsletter.web.notices import Notices
from newsletter.web.reprint import Link
from newsletter.web.site import PERSONAL, READ, Here, Site
from subscribers.tokens import Purpose

router = APIRouter()

#: The frozen HTML carries its styles inside, and pictures by https; nothing else is loosened.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@router.api_route("/i/{token}", methods=READ)
def show(token: str, site: Here) -> Response:
    """Show the issue, once its words are fixed and unless it was cancelled."""
    issue_id, _ = site.ticket(token, Purpose.ISSUE)
    about = f"{site.prefix}/about-links"
    own = {Slot.UNSUBSCRIBE_URL: Link(url=about), Slot.PREFERENCES_URL: Link(url=about)}
    with site.reading() as session:
        _require_fixed(session, issue_id)
        standing = visibility.of(session, issue_id, default=site.settings.archive.visibility)
        notes = notices.of(session, site, issue_id)
        page = reprint.of(press.load(session, issue_id), own=own, withdrawn=notes.withdrawn, title=f"Issue {issue_id}")
    if page is None:
        return site.page("killed", status=410, what="issue")
    inside = f"{site.prefix}/i/{token}"
    if not standing.open:  # the pages of its briefings are closed: they are read inside the issue
        page = page.replace(f'href="{site.settings.publication.url}/briefings/', f'href="{inside}/')
    story = f"{site.prefix}/briefings" if standing.open else inside
    if notes:
        page = framed(site, page, notes, story=lambda name: f"{story}/{name}")
    return HTMLResponse(page, headers={**PERSONAL, "Content-Security-Policy": POLICY})


@router.api_route("/i/{token}/{briefing}", methods=READ)
def read(token: str, briefing: str, site: Here) -> Response:
    """Show a briefing as the issue brings it, or as it is named there beside another."""
    issue_id, _ = site.ticket(token, Purpose.ISSUE)
    return briefings.page(site, briefing, within=(issue_id, token))


def _require_fixed(session: Session, issue_id: int) -> None:
    try:
        fixed = issues.get(session, issue_id).state in issues.FIXED
    except NotFound:
        fixed = False
    if not fixed:
        raise HTTPException(404)


def framed(
    site: Site, page: str, notes: Notices, *, bar: bool = False, older: ListedIssue | None = None,
    newer: ListedIssue | None = None, story: Callable[[str], str], **head: object,
) -> str:  # fmt: skip
    """Return the page with what the desk puts around it: notices, and with `bar` the ways to other pages."""
    around = {"bar": bar, "older": older, "newer": newer, "corrections": notes.corrections, "story": story}
    said = {"canonical": "", "robots": "", "summary": "", "linked": "", **head}
    return reprint.framed(
        page,
        head=site.write("reprint_head.html.j2", **around, **said),
        top=site.write("reprint_top.html.j2", **around),
        end=site.write("reprint_end.html.j2", **around),
    )
