"""The sources' words that the desk holds: those of the pages that a briefing cites, else what feeds brought of them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlmodel import Session, col, select

from newsletter.discovery import looks
from newsletter.discovery.looks import Look
from newsletter.discovery.models import SourceItem
from newsletter.editorial import links, tokens
from newsletter.editorial.document import Citation, Document

#: With fewer words than this a feed gave a teaser, and not the text.
TEASER = 200


@dataclass(frozen=True)
class Held:
    """A source of a briefing, by its number there, and the words that the desk holds of it: none, a teaser, a text.

    Where its page was read, `fed` is what feeds alone say of it; `trouble` says why the page's words are not held.
    """

    number: int
    name: str
    url: str
    title: str = ""
    text: str = ""
    upstream: str = ""
    upstream_url: str = ""
    fed: str | None = None
    trouble: str = ""

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
        """Return the hash of the feeds' words, by which later ones are told from these; empty where none is held.

        The page's words are left out of it: they are discarded in time, and looks have a fingerprint of their own.
        """
        words = self.words if self.fed is None else tuple(tokens.words(self.fed))
        return hashlib.sha256(" ".join(words).encode()).hexdigest() if words else ""


def held(session: Session, document: Document) -> tuple[Held, ...]:
    """Return every source of a document in order, with the words of its page, else those that feeds brought of it."""
    wanted = {address for source in document.sources for address in _addresses(source.url)}
    known = col(SourceItem.url).in_(wanted) | col(SourceItem.canonical).in_(wanted)
    found: dict[str, list[SourceItem]] = {}
    for item in session.exec(select(SourceItem).where(known).order_by(col(SourceItem.id))) if wanted else ():
        found.setdefault(links.canonical(item.url), []).append(item)
    read = looks.read(session, wanted)
    return tuple(
        _read(_held(number, source, found.get(links.canonical(source.url), [])), read)
        for number, source in enumerate(document.sources, start=1)
    )


def _held(number: int, source: Citation, items: Sequence[SourceItem]) -> Held:
    if not items:
        return Held(number, source.name, source.url)
    parts = _once(part for item in items for part in (item.title, item.summary))
    passed_on = [item for item in items if item.upstream_url or item.upstream_name]
    upstream = (passed_on[0].upstream_name, passed_on[0].upstream_url) if passed_on else ("", "")
    return Held(number, source.name, source.url, items[0].title, "\n\n".join(parts), *upstream)


def _read(held: Held, read: Mapping[str, Look]) -> Held:
    """Return a source with the words of its page, where they are held, or with the reason why they are not."""
    look = read.get(looks.page(held.url))
    if look is None or not look.text:
        return replace(held, trouble=look.trouble if look else "")
    return replace(held, title=held.title or look.title, text=f"{look.title}\n\n{look.text}", fed=held.text)


def _once(parts: Iterable[str]) -> list[str]:
    """Return the parts that no other holds already: several feeds bring one story with the same words."""
    kept: list[str] = []
    for part in sorted(filter(None, parts), key=len, reverse=True):
        if not any(part in other for other in kept):
            kept.append(part)
    return kept


def _addresses(url: str) -> set[str]:
    return {url, links.canonical(url)} - {""}
