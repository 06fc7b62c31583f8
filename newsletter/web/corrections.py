"""Corrections: what readers were told that was wrong, and when the desk said so."""

from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from newsletter.issues.corrections import Said as Correction
from newsletter.issues.corrections import log, of
from newsletter.web import public
from newsletter.web.site import PUBLIC, Site

__all__ = ["Correction", "log", "of", "router"]

router = APIRouter()


@public.page(router, "/corrections")
def show(site: Site, _asked: Mapping[str, str]) -> Response:
    """List what was corrected, newest first: only what readers have can be."""
    with site.reading() as session:
        found = log(session)
    return site.page(
        "corrections", headers=PUBLIC, corrections=found, reply_to=site.settings.sender.reply_to,
        canonical=f"{site.settings.publication.url}/corrections",
    )  # fmt: skip
