"""Beginnings: what a briefing takes over from the source items that it begins from."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlmodel import Session

from newsletter.discovery import inbox
from newsletter.discovery.inbox import ItemView
from newsletter.discovery.memory import Memory, Past
from newsletter.editorial import body, briefings, links
from newsletter.editorial.document import Citation, Role
from newsletter.editorial.names import BRIEFING
from newsletter.errors import BadInput

#: Words of a title that make a briefing's id.
_WORDS = 6


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A briefing that was begun: its id and file, with the sources and topics that its front matter names."""

    id: str
    path: Path
    sources: tuple[Citation, ...]
    topics: tuple[str, ...]

    @property
    def unread(self) -> tuple[Citation, ...]:
        """Return the sources that a feed only names: nobody at the desk has opened them."""
        return tuple(source for source in self.sources if source.retrieved is None)


def begin(
    session: Session, numbers: Iterable[int], *, id: str = "", title: str = "", folder: Path, author: str, now: datetime
) -> Begun:
    """Claim the stories of source items, and start a briefing that credits every source of each.

    Without an `id`, the first item's title makes one. Topics are guessed from what the desk wrote before.
    """
    wanted = list(dict.fromkeys(numbers))
    stories = [inbox.story(session, number) for number in wanted]
    id = id or word(stories[0][0].title)
    sources = credits(stories)
    said = " ".join(f"{lead.title} {lead.title} {lead.summary[:1000]}" for lead, *_ in stories)
    topics = memory(session).topics(said)
    path = briefings.new(
        session, id, title=title, sources=sources, topics=topics, folder=folder, author=author, now=now
    )
    inbox.claim(session, wanted, briefing=id, actor=author, now=now)
    return Begun(id=id, path=path, sources=sources, topics=topics)


def credits(stories: Iterable[list[ItemView]]) -> tuple[Citation, ...]:
    """Return a citation of each page that stories stand at, once, and of whoever else told them first."""
    found: dict[object, Citation] = {}
    items = [(item, number) for story in stories for number, item in enumerate(story)]
    for item, number in items:
        source = _page(item, Role.SECONDARY if number else Role.DISCOVERY)
        found.setdefault(links.canonical(source.url) or (source.name, source.title), source)
    named = {word for source in found.values() for word in (source.name.casefold(), _host(source.url))} - {""}
    for item, _ in items:
        name = item.upstream if item.upstream != item.upstream_url else _host(item.upstream_url)
        if name and named.isdisjoint({name.casefold(), _host(item.upstream_url)}):
            named.add(name.casefold())
            found[name] = Citation(name=name, url=item.upstream_url, role=Role.PRIMARY)
    return tuple(found.values())


def _page(item: ItemView, role: Role) -> Citation:
    published, retrieved = (_second(moment) for moment in (item.published, item.changed_at or item.found_at))
    page = item.canonical or item.url  # without what tracks readers
    return Citation(name=item.feed, url=page, title=item.title, published=published, retrieved=retrieved, role=role)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None


def word(title: str) -> str:
    """Return a briefing's id made of a title's first words; BadInput where no letter of theirs may stand in one."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    made = "-".join(re.findall("[a-z0-9]+", plain.replace("'", ""))[:_WORDS])[: BRIEFING.longest].rstrip("-")
    if not BRIEFING.fits(made):
        raise BadInput(f"no id can be made of {title!r}; give one before --from: {BRIEFING}")
    return made


def memory(session: Session) -> Memory:
    """Return what the desk's own texts teach of topics, and of what has been told."""
    return Memory(
        Past(
            id=each.id, topics=each.document.topics, title=each.title,
            words=" ".join(str(part) for part in body.parts(each.document).values()),
        )
        for each in briefings.all(session)
    )  # fmt: skip
