"""Relations: which of the desk's briefings are near one, among all that readers have or may soon have.

Few are compared with each other anew each time; many are looked up in an index that is kept between runs.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlmodel import Session, col, select

from newsletter.editorial import briefings, related, standings, text
from newsletter.editorial.document import Document
from newsletter.editorial.models import Briefing, Revision
from newsletter.editorial.nearness import Index
from newsletter.editorial.related import CUTOFF, Corpus, Near
from newsletter.editorial.standings import Standing

#: From how many briefings on an index is kept.
MANY = 300
#: How many texts are read at once.
_AT_ONCE = 500
#: How many more are looked up than wanted: some may not be read now.
_SPARE = 20
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*)$", re.MULTILINE)
_TOPICS = re.compile(r"^topics:[ \t]*(?:\[([^\]]*)\]|((?:\n[ \t]*- .*)+))", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A briefing near another: the cosine (1.0 for a pinned one), the terms that weigh most, the topics in common."""

    briefing: str
    title: str
    sha256: str
    cosine: float
    terms: tuple[str, ...]
    topics: tuple[str, ...]
    pinned: bool


def of(
    session: Session, documents: Mapping[str, Document], *, limit: int = 3, cutoff: float = CUTOFF,
    exclude: Iterable[str] = (), now: datetime,
) -> dict[str, tuple[Relation, ...]]:  # fmt: skip
    """Return for each of the documents the briefings near it: pinned ones first, then the nearest, never `exclude`.

    Only briefings come that readers have or that are approved, and that may be read now.
    """
    free = {id: replace(each, related_exclude=(*each.related_exclude, *exclude)) for id, each in documents.items()}
    held = dict(session.exec(select(Briefing.id, Briefing.sha256).where(col(Briefing.state).in_(standings.HELD))).all())
    found = _among_few if len(held) < MANY else _among_many
    return {
        id: tuple(_relation(free[id], *each) for each in islice(near, limit))
        for id, near in found(session, held, free, limit, cutoff, now)
    }


_Found = Iterator[tuple[str, Iterator[tuple[Near, Standing]]]]


def _among_few(
    session: Session, _held: Mapping[str, str], documents: Mapping[str, Document], limit: int, cutoff: float,
    now: datetime,
) -> _Found:  # fmt: skip
    known = {
        standing.id: standing
        for state in standings.HELD
        for standing in standings.all(session, state=state)
        if briefings.public(standing.document, now)
    }
    corpus = Corpus({**{name: standing.document for name, standing in known.items()}, **documents}.items())
    for id in documents:
        near = corpus.nearest(id, limit=limit + len(documents), cutoff=cutoff)
        yield id, ((each, known[each[0]]) for each in near if each[0] in known)


def _among_many(
    session: Session, held: Mapping[str, str], documents: Mapping[str, Document], limit: int, cutoff: float,
    now: datetime,
) -> _Found:  # fmt: skip
    index = Index(_file(session))
    index.follow(held, lambda wanted: _read(session, wanted))
    for id, document in documents.items():
        near = index.nearest(
            related.terms(document), id=id, topics=document.topics, pins=document.related_pin, limit=limit + _SPARE,
            cutoff=cutoff, exclude=document.related_exclude,
        )  # fmt: skip
        found = ((each, standings.get(session, each[0])) for each in near)
        yield id, ((each, standing) for each, standing in found if briefings.public(standing.document, now))


def _relation(document: Document, near: Near, standing: Standing) -> Relation:
    id, cosine, terms = near
    common = tuple(topic for topic in document.topics if topic in standing.document.topics)
    return Relation(
        briefing=id, title=standing.title, sha256=standing.sha256, cosine=cosine, terms=terms, topics=common,
        pinned=id in document.related_pin,
    )  # fmt: skip


def _read(session: Session, wanted: Mapping[str, str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the wanted texts' ids with their topics and their terms; nothing else of a text is read."""
    ids = list(wanted)
    for first in range(0, len(ids), _AT_ONCE):
        some = col(Revision.briefing_id).in_(ids[first : first + _AT_ONCE])
        query = select(Revision.briefing_id, Revision.sha256, Revision.text).where(some).order_by(col(Revision.id))
        found = {id: words for id, sha256, words in session.exec(query) if wanted[id] == sha256}
        for id, words in found.items():
            yield id, *skimmed(words)


def skimmed(words: str) -> tuple[list[str], list[str]]:
    """Return the topics and the terms of a stored text, which was read with all care when it was stored."""
    _, front, rest = text.normal(words.removeprefix("\ufeff")).split("---\n", 2)
    topics = _TOPICS.search(front)
    _, *pieces = _HEADING.split(rest)
    parts = []
    for level, heading, below in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        parts += [heading, heading] if level == "#" else []
        parts += below.split("\n- ") if heading == "Key points" else [below]
    return _NAME.findall(topics[1] or topics[2] or "") if topics else [], related.terms_of(parts)


def _file(session: Session) -> Path:
    """Return the file of the index: beside the database's own, else in the user's cache."""
    url = session.get_bind().engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(f"{url.database}.related")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newsletter"
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    return home / f"{hashlib.sha256(str(url).encode()).hexdigest()[:16]}.related"
