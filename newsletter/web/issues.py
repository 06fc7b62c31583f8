"""An issue as a page of the archive: the very HTML that was sent, without anything that was a reader's own."""

from collections.abc import Mapping

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response

from newsletter.errors import NotFound
from newsletter.issues import visibility
from newsletter.issues.issues import PUBLISHED
from newsletter.rendering import press
from newsletter.rendering.slots import Slot
from newsletter.web import linked, notices, online, public, reprint
from newsletter.web.reprint import Link
from newsletter.web.site import PUBLIC, UNLISTED, Site

router = APIRouter()

#: The largest number that a database keeps for a row.
_LARGEST = 2**31 - 1
_BECAUSE = "This is the copy of the archive, which everybody can read."


@public.page(router, "/issues/{number}")
def show(site: Site, asked: Mapping[str, str]) -> Response:
    """Show an issue that went out; 403 where only its readers may see it, 404 where there is none."""
    number = asked["number"]
    if not (number.isascii() and number.isdigit() and number[0] != "0" and int(number) <= _LARGEST):
        raise HTTPException(404)
    return _page(site, int(number))


def _page(site: Site, number: int) -> Response:
    own = {
        Slot.UNSUBSCRIBE_URL: Link(url=f"{site.prefix}/signup", words="Sign up"),
        Slot.PREFERENCES_URL: Link(url=f"{site.prefix}/archive", words="All issues"),
    }
    with site.reading() as session:
        try:
            standing = visibility.of(session, number, default=site.settings.archive.visibility)
        except NotFound as error:
            raise HTTPException(404) from error
        if standing.state not in PUBLISHED:
            raise HTTPException(404)
        if not standing.open:
            return site.page("closed", status=403, what="issue")
        notes = notices.of(session, site, number)
        page = reprint.of(
            press.load(session, number), own=own, because=_BECAUSE, withdrawn=notes.withdrawn,
            title=f"Issue {number}", online=Link(url=f"{site.prefix}/issues/{number}", words="Permanent link"),
        )  # fmt: skip
    if page is None:
        return site.page("killed", status=410, what="issue")
    archive, url = site.archive(), f"{site.settings.publication.url}/issues/{number}"
    listed, (older, newer) = archive.issue(number), archive.beside(number)
    headers = PUBLIC if listed else UNLISTED
    page = online.framed(
        site, page, notes, bar=True, older=older, newer=newer, canonical=url,
        robots=headers.get("X-Robots-Tag", ""), summary=listed.preheader if listed else "",
        linked=linked.issue(listed, publication=site.settings.publication) if listed else "",
        story=lambda briefing: f"{site.prefix}/briefings/{briefing}",
    )  # fmt: skip
    return HTMLResponse(page, headers={**headers, "Content-Security-Policy": online.POLICY})
