"""Pages that are the same for everyone: the front, the standards, and what robots are told."""

import nh3
from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from newsletter.web.site import PUBLIC, READ, Here

router = APIRouter()

_PARSER = MarkdownIt("commonmark", {"html": False})
_TAGS = {"p", "a", "em", "strong", "ul", "ol", "li", "blockquote", "br", "hr", "code", "pre", "h2", "h3", "h4"}


@router.api_route("/", methods=READ)
def front(site: Here) -> Response:
    """Say whose desk this is."""
    return site.page("front", headers=PUBLIC)


@router.api_route("/standards", methods=READ)
def standards(site: Here) -> Response:
    """Show the publication's standards; the first heading of the file is the page's."""
    try:
        text = site.settings.path(site.settings.publication.standards).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HTTPException(404) from error
    first, _, rest = text.strip().partition("\n")
    heading, rest = (first[2:].strip(" #"), rest) if first.startswith("# ") else ("Standards", text)
    return site.page("standards", headers=PUBLIC, heading=heading, text=_formatted(rest))


def _formatted(text: str) -> Markup:
    # Unlike a briefing, the standards may have headings of their own.
    markup = _PARSER.render(text)
    return Markup(nh3.clean(markup, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}))


@router.api_route("/about-links", methods=READ)
def about_links(site: Here) -> Response:
    """Say where a reader's own links are: an issue read online has none."""
    return site.page("about_links", headers=PUBLIC)


@router.api_route("/pages.css", methods=READ)
def style(site: Here) -> Response:
    """Return the style of every page."""
    return Response(site.write("pages.css"), media_type="text/css", headers=PUBLIC)


@router.api_route("/robots.txt", methods=READ)
def robots() -> Response:
    """Allow everything: pages behind a token say `noindex`, and a robot must be let in to read that."""
    return PlainTextResponse("User-agent: *\nAllow: /\n", headers=PUBLIC)
