"""The sources' words that the desk holds: what feeds brought of the pages that a briefing cites."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlmodel import Session, col, select

from newsletter.discovery.models import SourceItem
from newsletter.editorial import links, tokens
from newsletter.editorial.document import Citation, Document

#: With fewer words than this a feed gave a teaser, and not the text.
TEASER = 200


@dataclass(frozen=True)
class Held:
    """A source of a briefing, by its number there, and the words that the desk holds of it: none, a teaser, a text."""

    number: int
    name: str
    url: str
    title: str = ""
    text: str = ""
    upstream: str = ""
    upstream_url: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return its words as they are compared."""
        return tuple(tokens.words(self.text))

    @property
    def length(self) -> int:
        """Return how many words are held."""
        return round(tokens.weight(self.words))

    @property
    def teaser(self) -> bool:
        """Return whether too little is held for an answer: whoever copied from the rest is not found out."""
        return self.length < TEASER

    @property
    def sha256(self) -> str:
        """Return the hash of the words, by which a later text is told from this one; empty where none is held."""
        return hashlib.sha256(" ".join(self.words).encode()).hexdigest() if self.words else ""


def held(session: Session, document: Document) -> tuple[Held, ...]:
    """Return every source of a document in order, with the words that feeds brought of it."""
    wanted = {address for source in document.sources for address in _addresses(source.url)}
    known = col(SourceItem.url).in_(wanted) | col(SourceItem.canonical).in_(wanted)
    found: dict[str, list[SourceItem]] = {}
    for item in session.exec(select(SourceItem).where(known).order_by(col(SourceItem.id))) if wanted else ():
        found.setdefault(links.canonical(item.url), []).append(item)
    return tuple(
        _held(number, source, found.get(links.canonical(source.url), []))
        for number, source in enumerate(document.sources, start=1)
    )


def _held(number: int, source: Citation, items: Sequence[SourceItem]) -> Held:
    if not items:
        return Held(number, source.name, source.url)
    parts = _once(part for item in items for part in (item.title, item.summary))
    passed_on = [item for item in items if item.upstream_url or item.upstream_name]
    upstream = (passed_on[0].upstream_name, passed_on[0].upstream_url) if passed_on else ("", "")
    return Held(number, source.name, source.url, items[0].title, "\n\n".join(parts), *upstream)


def _once(parts: Iterable[str]) -> list[str]:
    """Return the parts that no other holds already: several feeds bring one story with the same words."""
    kept: list[str] = []
    for part in sorted(filter(None, parts), key=len, reverse=True):
        if not any(part in other for other in kept):
            kept.append(part)
    return kept


def _addresses(url: str) -> set[str]:
    return {url, links.canonical(url)} - {""}
