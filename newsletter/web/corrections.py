"""Corrections: what readers were told that was wrong, and when the desk said so."""

from fastapi import APIRouter
from fastapi.responses import Response

from newsletter.issues.corrections import Said as Correction
from newsletter.issues.corrections import log, of
from newsletter.web.site import PUBLIC, READ, Here

__all__ = ["Correction", "log", "of", "router"]

router = APIRouter()


@router.api_route("/corrections", methods=READ)
def show(site: Here) -> Response:
    """List what was corrected, newest first: only what readers have can be."""
    with site.reading() as session:
        found = log(session)
    return site.page("corrections", headers=PUBLIC, corrections=found, reply_to=site.settings.sender.reply_to)
