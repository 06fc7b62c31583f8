"""Finding what was published by its words."""

import logging
from collections.abc import Mapping

from fastapi import APIRouter
from fastapi.responses import Response

from newsletter.errors import DatabaseError
from newsletter.issues import search
from newsletter.issues.archive import Archive
from newsletter.web import archive as lists
from newsletter.web import public
from newsletter.web.site import PUBLIC, Site

router = APIRouter()
_log = logging.getLogger(__name__)


@public.page(router, "/search", heeds=("q", "page"), kept=False)
def show(site: Site, asked: Mapping[str, str]) -> Response:
    """Show what has the words of the question, best first; without one, the box to write it in."""
    archive, question = site.archive(), asked["q"]
    words = search.words(question)
    if words:
        _bring_up_to_date(site, archive)
    page = int(asked["page"]) if asked["page"].isdigit() and len(asked["page"]) < 7 else 1
    with site.reading() as session:
        skip = max(page - 1, 0) * lists.EACH
        count, hits = search.find(session, archive, words, skip=skip, most=lists.EACH)
    part, pages = lists.cut(hits, asked["page"], where=f"{site.prefix}/search", count=count, q=question)
    headers = {**PUBLIC, "X-Robots-Tag": "noindex, follow"}
    return site.page(
        "search", headers=headers, question=question, words=words, hits=part, count=count, pages=pages,
        archive=archive, topics=lists.labels(site, archive),
    )  # fmt: skip


def _bring_up_to_date(site: Site, archive: Archive) -> None:
    """Put into the index what was published since somebody searched last; it is derived, and no fact of the desk."""
    with site.reading() as session:
        stale = search.stale(session, archive)
    if not stale:
        return
    try:
        with site.transaction() as session:
            search.refresh(session, archive)
    except DatabaseError as error:  # somebody writes for long: the search does without the newest for now
        _log.warning("the index of the search is not up to date: %s", error)
