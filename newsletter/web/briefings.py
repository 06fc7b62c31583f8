"""A briefing as a page: the whole text that readers were given, with its sources."""

import re
from collections.abc import Mapping

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from sqlmodel import Session

from newsletter.editorial import attribution, briefings
from newsletter.editorial.document import Document
from newsletter.editorial.models import BriefingState
from newsletter.errors import NotFound
from newsletter.rendering import layout, markdown
from newsletter.web import corrections, linked, public, published
from newsletter.web.published import Published
from newsletter.web.site import PERSONAL, PUBLIC, UNLISTED, Site
from subscribers import topics

router = APIRouter()

_NAME = re.compile(r"[a-z0-9-]{1,80}")


@public.page(router, "/briefings/{briefing}")
def show(site: Site, asked: Mapping[str, str]) -> Response:
    """Show the text that stands in the newest fixed issue; 410 when it was withdrawn, 404 when no issue has it."""
    return page(site, asked["briefing"])


def page(site: Site, briefing: str, *, within: tuple[int, str] | None = None) -> Response:
    """Return the page of a briefing; `within` is the number and the token of the issue that a reader came from."""
    if not _NAME.fullmatch(briefing):
        raise HTTPException(404)
    with site.reading() as session:
        found = published.find(session, briefing, default=site.settings.archive.visibility)
        carried = _carried(found, within[0] if within else None)
        if not found or (within and not carried):
            raise HTTPException(404)
        try:
            killed = briefings.get(session, briefing).state == BriefingState.KILLED
        except NotFound as error:
            raise HTTPException(404) from error
        if killed:
            return site.page("killed", status=410, what="briefing")
        if carried is None:
            return site.page("closed", status=403, what="briefing")
        return _page(site, session, briefing, carried, within[1] if within else "")


def _carried(found: list[Published], issue: int | None) -> Published | None:
    """Return the text to show: that of one issue, else of the newest that everybody may see."""
    return next((each for each in found if (each.issue == issue if issue else each.open)), None)


def _page(site: Site, session: Session, briefing: str, carried: Published, token: str) -> Response:
    document = briefings.text_at(session, briefing, carried.sha256)
    corrected = corrections.of(session, briefing)
    listed = site.archive().by_id.get(briefing)
    first = published.since(session, briefing)
    gone = published.killed(session, [name for name, _ in carried.related])
    titles = {each.name: each.title for each in topics.all(session)}
    about = [(name, titles.get(name, name)) for name in document.topics] if listed else []
    headers = PERSONAL if token else PUBLIC if listed else UNLISTED
    return site.page(
        "briefing",
        headers=headers,
        document=document,
        direction=layout.direction(document.language),
        sections=sections(document),
        note=attribution.source_note(document),
        disclosure=attribution.disclosure(document),
        related=[(name, title) for name, title in carried.related if name not in gone],
        place=f"{site.prefix}/i/{token}" if token else f"{site.prefix}/briefings",
        canonical="" if token else f"{site.settings.publication.url}/briefings/{briefing}",
        summary=markdown.sentence(document.introduction, most=300),
        issue=listed.issue if listed and listed.sha256 == carried.sha256 else None,
        published=first,
        topics=about,
        corrections=corrected,
        linked=linked.article(document, publication=site.settings.publication, published=first, corrections=corrected),
    )


def sections(document: Document) -> list[tuple[str, str]]:
    """Return the headings of a briefing, each with its text, in the order in which they are read."""
    return [
        ("What happened", document.what_happened),
        ("Why it matters", document.why_it_matters),
        ("Buyer relevance", document.buyer_relevance),
        ("What to watch next", document.what_to_watch_next),
    ]
