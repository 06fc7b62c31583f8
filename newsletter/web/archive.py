"""The archive as lists: every issue that everybody may read, newest first, by year and by topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter.issues.archive import Archive
from newsletter.web import public
from newsletter.web.site import PUBLIC, Site
from subscribers import topics

router = APIRouter()

#: How many issues, or briefings, stand on a page.
EACH = 20
Listed = TypeVar("Listed")


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Where a reader is in a long list, with the addresses of the pages before and after; empty where there is none."""

    number: int
    count: int
    newer: str
    older: str


@public.page(router, "/archive", heeds=("year", "topic", "page"))
def show(site: Site, asked: Mapping[str, str]) -> Response:
    """List the issues, newest first; those of a year or about a topic where the address says so."""
    archive, year, topic = site.archive(), asked["year"], asked["topic"]
    if (year and year not in map(str, archive.years())) or (topic and topic not in archive.topics()):
        raise HTTPException(404)
    found = [
        each
        for each in archive.issues
        if (not year or str(each.sent.year) == year) and (not topic or topic in each.topics)
    ]
    part, pages = cut(found, asked["page"], where=f"{site.prefix}/archive", year=year, topic=topic)
    return site.page(
        "archive", headers=PUBLIC, issues=part, pages=pages, year=year, topic=topic,
        years=archive.years(), topics=labels(site, archive), canonical=_canonical(site, pages, year, topic),
    )  # fmt: skip


@public.page(router, "/topics/{topic}", heeds=("page",))
def topic(site: Site, asked: Mapping[str, str]) -> Response:
    """List the briefings about a topic, newest first."""
    archive, name = site.archive(), asked["topic"]
    if name not in archive.topics():
        raise HTTPException(404)
    found = [each for each in archive.briefings if name in each.topics]
    where = f"/topics/{name}"
    part, pages = cut(found, asked["page"], where=site.prefix + where)
    return site.page(
        "topic", headers=PUBLIC, name=name, label=labels(site, archive)[name], briefings=part, pages=pages,
        canonical=f"{site.settings.publication.url}{where}" + (f"?page={pages.number}" if pages.number > 1 else ""),
    )  # fmt: skip


def labels(site: Site, archive: Archive) -> dict[str, str]:
    """Return the topics of what is listed with what readers call them, by name."""
    with site.reading() as session:
        titles = {each.name: each.title for each in topics.all(session)}
    return {name: titles.get(name, name) for name in archive.topics()}


def cut(found: Sequence[Listed], page: str, *, where: str, count: int = -1, **words: str) -> tuple[
    Sequence[Listed], Pages
]:  # fmt: skip
    """Return the part of a list that stands on a page, and the ways to the others; 404 where there is no such page.

    With `count` the list is that long, and `found` is the part already.
    """
    whole = len(found) if count < 0 else count
    last = max(-(-whole // EACH), 1)
    if page and not (page.isascii() and page.isdigit() and len(page) < 7 and 1 <= int(page) <= last):
        raise HTTPException(404)
    number = int(page or 1)
    part = found[(number - 1) * EACH : number * EACH] if count < 0 else found
    return part, Pages(
        number=number,
        count=last,
        newer=address(where, **words, page="" if number == 2 else str(number - 1)) if number > 1 else "",
        older=address(where, **words, page=str(number + 1)) if number < last else "",
    )


def address(where: str, **words: str) -> str:
    """Return an address with those words of a query that say something."""
    said = urlencode({name: word for name, word in words.items() if word})
    return f"{where}?{said}" if said else where


def _canonical(site: Site, pages: Pages, year: str, topic: str) -> str:
    page = str(pages.number) if pages.number > 1 else ""
    return address(f"{site.settings.publication.url}/archive", year=year, topic=topic, page=page)
