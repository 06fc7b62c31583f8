"""Pages about the desk, the same for everyone: the front, the standards, and the style of all of them."""

from collections.abc import Mapping

import nh3
from fastapi import APIRouter, HTTPException
from fastapi.responses import Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from newsletter.web import archive as lists
from newsletter.web import public
from newsletter.web.site import PUBLIC, Site

router = APIRouter()

_PARSER = MarkdownIt("commonmark", {"html": False})
_TAGS = {"p", "a", "em", "strong", "ul", "ol", "li", "blockquote", "br", "hr", "code", "pre", "h2", "h3", "h4"}


#: How many issues the front names.
_NEWEST = 5


@public.page(router, "/")
def front(site: Site, _asked: Mapping[str, str]) -> Response:
    """Say whose desk this is, and what it sent last."""
    archive = site.archive()
    return site.page(
        "front", headers=PUBLIC, issues=archive.issues[:_NEWEST], topics=lists.labels(site, archive),
        canonical=f"{site.settings.publication.url}/",
    )  # fmt: skip


@public.page(router, "/standards", kept=False)
def standards(site: Site, _asked: Mapping[str, str]) -> Response:
    """Show the publication's standards; the first heading of the file is the page's."""
    path = site.settings.path(site.settings.publication.standards)
    try:
        text, changed = path.read_text("utf-8-sig"), path.stat().st_mtime
    except (OSError, UnicodeDecodeError) as error:
        raise HTTPException(404) from error
    first, _, rest = text.strip().partition("\n")
    heading, rest = (first[2:].strip(" #"), rest) if first.startswith("# ") else ("Standards", text)
    page = site.page(
        "standards", headers=PUBLIC, heading=heading, text=_formatted(rest),
        canonical=f"{site.settings.publication.url}/standards",
    )  # fmt: skip
    return public.unchanged(page, changed)


def _formatted(text: str) -> Markup:
    # Unlike a briefing, the standards may have headings of their own.
    markup = _PARSER.render(text)
    return Markup(nh3.clean(markup, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}))


@public.page(router, "/about-links")
def about_links(site: Site, _asked: Mapping[str, str]) -> Response:
    """Say where a reader's own links are: an issue read online has none."""
    return site.page("about_links", headers=PUBLIC)


@public.page(router, "/pages.css")
def style(site: Site, _asked: Mapping[str, str]) -> Response:
    """Return the style of every page."""
    return Response(site.write("pages.css"), media_type="text/css", headers=PUBLIC)
