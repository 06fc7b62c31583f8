"""The baseline: what the shipped themes' own pages use. Their authors weighed it; findings about it would be noise."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from newsletter.editorial.document import Citation, Document
from newsletter.issues.content import IssueContent, ItemContent, Related
from newsletter.looks import Logo, Theme
from newsletter.rendering.rendered import Links
from newsletter.settings import Publication, Settings

_NOWHERE = Path("/nonexistent")  # a publication without templates of its own
_URL = "https://example.com"
_TEXT = (
    "Words, **strong** and *slanted*, with a [link](https://example.com/).\n\n- one\n- two\n\n1. one\n\n> quoted\n\n`x`"
)
_LANGUAGES = ("en", "ar")
_SOURCES = tuple(
    Citation(name=name, url=f"{_URL}/{name}", title=name, retrieved=datetime(2000, 1, 1, tzinfo=UTC))
    for name in ("one", "two")
)


def beyond(used: set[str], *, theme: str) -> set[str]:
    """Return what a page uses, as `kind:name`, and no shipped theme's page does, in either direction of writing.

    The page's own theme is asked first, and the others only while something is left.
    """
    left = set(used)
    for name in sorted(_shipped(), key=lambda name: (name != theme, name)):
        for language in _LANGUAGES:
            if left:
                left -= marks(name, language)
    return left


@lru_cache(maxsize=16)
def marks(theme: str, language: str) -> frozenset[str]:
    """Return what the page of a shipped theme uses, with every part and nothing to say."""
    # The press checks what it prints, and the checks ask for this: imported here, the two do not need each other first.
    from newsletter.rendering import press
    from newsletter.rendering.checks import clients
    from newsletter.rendering.proof import Proof

    links = Links(_URL, lambda briefing: f"{_URL}/{briefing}", f"{_URL}/standards")
    settings, content = _settings(language, theme), _content(language)
    sheet = Proof(content, press.render(content, settings, links, dated=_SOURCES[0].retrieved), settings)
    return frozenset(clients.marks(sheet))


def _settings(language: str, theme: str) -> Settings:
    publication = Publication(name="Empty", public_url=_URL, postal_address="1 Street", language=language, theme=theme)
    logo = Logo(url=f"{_URL}/logo.png", alt="Empty", width=100, height=50)
    settings = Settings(publication=publication, theme=Theme(logo=logo))
    settings._folder = _NOWHERE
    return settings


@lru_cache(maxsize=1)
def _shipped() -> list[str]:
    package = Path(__file__).parents[1]
    folders = (package / "templates", package.parent / "templates")
    return sorted({file.parent.name for folder in folders for file in folder.glob("*/issue.mjml.j2")})


def _content(language: str) -> IssueContent:
    """Return an issue with every part and nothing to say."""
    document = Document(
        id="empty", title="Title", introduction=_TEXT, key_points=("one",), why_it_matters=_TEXT, buyer_relevance=_TEXT,
        language=language, desk="Desk", sources=_SOURCES,
    )  # fmt: skip
    related = (Related(briefing="other", title="Other", sha256="", score=1.0),)
    items = tuple(ItemContent(position=place, sha256="", document=document, related=related) for place in (1, 2))
    return IssueContent(id=1, subject="Subject", preheader="Preheader", intro=_TEXT, items=items)
