"""A briefing as a page: the whole text that readers were given, with its sources."""

import re

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter.editorial import attribution, briefings
from newsletter.editorial.document import Document
from newsletter.editorial.models import BriefingState
from newsletter.errors import NotFound
from newsletter.rendering import layout
from newsletter.web import corrections, linked, published
from newsletter.web.site import PUBLIC, READ, Here

router = APIRouter()

_NAME = re.compile(r"[a-z0-9-]{1,80}")


@router.api_route("/briefings/{briefing}", methods=READ)
def show(briefing: str, site: Here) -> Response:
    """Show the text that stands in the newest fixed issue; 410 when it was withdrawn, 404 when no issue has it."""
    if not _NAME.fullmatch(briefing):
        raise HTTPException(404)
    with site.reading() as session:
        carried = published.find(session, briefing)
        if carried is None:
            raise HTTPException(404)
        try:
            killed = briefings.get(session, briefing).state == BriefingState.KILLED
            document = briefings.text_at(session, briefing, carried.sha256)
            corrected = corrections.of(session, briefing)
            first = published.since(session, briefing)
        except NotFound as error:
            raise HTTPException(404) from error
    if killed:
        return site.page("killed", status=410)
    return site.page(
        "briefing",
        headers=PUBLIC,
        document=document,
        direction=layout.direction(document.language),
        sections=sections(document),
        note=attribution.source_note(document),
        disclosure=attribution.disclosure(document),
        related=carried.related,
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
