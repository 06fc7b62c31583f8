"""Originals: the pages that briefings cite, looked at as they stand now, and what earlier looks found."""

import importlib.util
import queue
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session, col, select, update

from newsletter import hosts
from newsletter.discovery import cleaning, parsing
from newsletter.discovery.articles import Article
from newsletter.discovery.models import SourceLook
from newsletter.discovery.parsing import Parsers
from newsletter.discovery.robots import Robots
from newsletter.errors import BadInput, SettingsError
from newsletter.fetching import AGENT, Client, NoAnswer
from newsletter.settings import Settings

#: Seconds for one page and for a look at many, pages at a time, seconds between two pages of a host.
PAGE, LOOK, AT_ONCE, PAUSE = 8.0, 20.0, 16, 0.3
#: The same pause where words are taken, and for how long they are kept; with fewer characters a page gave a teaser.
READING, KEPT, SHORT = 5.0, timedelta(days=30), 600
_LATE = "there was no time to look"
#: Names that stand for nobody (RFC 2606, RFC 6761): nothing is asked there.
_NOBODY = (".example", ".test", ".invalid", ".localhost", ".example.com", ".example.net", ".example.org")


@dataclass(frozen=True, kw_only=True)
class Look:
    """What stood at an address: a page, by its fingerprints, or in `trouble` why there is none.

    A page that is there may have `trouble` too, when its words were asked for and could not be had.
    """

    url: str
    at: datetime
    status: int = 0
    trouble: str = ""
    title: str = ""
    sha256: str = ""
    paragraphs: tuple[str, ...] = ()
    corrections: int = 0
    text: str = ""

    @property
    def gone(self) -> bool:
        """Return whether the page was there and is taken away."""
        return self.status in (404, 410)


@dataclass(frozen=True)
class _Place:
    url: str


@dataclass
class Reader:
    """Looks at pages; with `words` it asks robots.txt first and takes the article's words, one page in five seconds."""

    client: Client
    parsers: Parsers = field(default_factory=parsing.shared)
    words: bool = False
    pause: float = PAUSE
    within: float = LOOK
    tell: Callable[[int, int | None], object] = field(default=lambda done, size: None)

    def __post_init__(self) -> None:
        self._robots = Robots(self.client)

    def look(self, urls: Iterable[str], *, now: datetime) -> list[Look]:
        """Return what stands at each address; what could not be looked at in time says so."""
        places = [_Place(url) for url in dict.fromkeys(map(page, urls)) if there(url)]
        found: dict[str, Look] = {}
        end = time.monotonic() + self.within

        def one(place: _Place) -> Look:
            return self._one(place.url, now)

        with hosts.asking(places, one, workers=AT_ONCE, pause=self.pause, wait=False) as brought:
            while len(found) < len(places):
                try:
                    look = hosts.sound(brought.get(timeout=max(0.0, end - time.monotonic())))
                except queue.Empty:
                    break
                found[look.url] = look
                self.tell(len(found), len(places))
        return [found.get(each.url) or Look(url=each.url, at=now, trouble=_LATE) for each in places]

    def _one(self, url: str, now: datetime) -> Look:
        refusal = self._robots.refusal(url) if self.words else ""
        if refusal:
            return Look(url=url, at=now, trouble=refusal)
        try:
            answer = self.client.get(url)
        except NoAnswer as error:
            return Look(url=url, at=now, trouble=str(error)[:500])
        if answer.status != 200:
            return Look(url=url, at=now, status=answer.status, trouble=f"it answers {answer.status}")
        kind = answer.headers.get("content-type", "")
        try:
            article = self.parsers.article(answer.body, url=answer.url, content_type=kind, extract=self.words)
        except BadInput as error:
            return Look(url=url, at=now, status=200, trouble=str(error)[:500])
        return self._seen(url, article, now)

    def _seen(self, url: str, article: Article, now: datetime) -> Look:
        trouble = ""
        if self.words and article.paid:
            trouble = "its page is behind a paywall"
        elif self.words and len(article.text) < SHORT:
            trouble = f"its page gave {len(article.text)} characters of text"
        return Look(
            url=url, at=now, status=200, trouble=trouble, title=article.title, sha256=article.sha256,
            paragraphs=article.paragraphs, corrections=article.corrections, text="" if trouble else article.text,
        )  # fmt: skip


def reader(settings: Settings, *, words: bool = False, tell: Callable[[int, int | None], object]) -> Reader:
    """Return a reader that says whose it is; SettingsError when words are asked for and what takes them is missing."""
    from newsletter import fetching  # by the module, so that a test can say whom its client may ask

    contact = settings.publication.url
    if words:
        contact = settings.require("publication.public_url", "[discovery] fulltext").rstrip("/")
        require_extra(settings)
    agent = f"{AGENT} (+{contact})" if contact else f"{AGENT} (source check)"
    client = fetching.Client(wall=PAGE, agent=agent)
    return Reader(client, words=words, pause=READING if words else PAUSE, within=600.0 if words else LOOK, tell=tell)


def require_extra(settings: Settings) -> None:
    """Refuse full text where the packages that read it are not installed."""
    missing = [name for name in ("trafilatura", "protego") if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"fulltext in [discovery] of {settings.path('newsletter.toml')} needs {' and '.join(missing)}, not "
            "installed here; run pip install 'newsletter-desk[fulltext]', or set fulltext = false"
        )


def page(url: str) -> str:
    """Return the one spelling of a page's address by which looks are kept, the empty string for what is none."""
    return cleaning.canonical(url)


def there(url: str) -> bool:
    """Return whether somebody can be asked at an address: it is one, and no example's."""
    address = page(url)
    return bool(address) and not f".{urlsplit(address).hostname or ''}".endswith(_NOBODY)


def keep(session: Session, looks: Iterable[Look]) -> None:
    """Store what looks found."""
    for look in looks:
        session.add(SourceLook(**{**vars(look), "paragraphs": list(look.paragraphs)}))
    session.flush()


def since(session: Session, urls: Collection[str], moment: datetime) -> dict[str, list[Look]]:
    """Return the looks at addresses from a moment on, the oldest first, by address."""
    found: dict[str, list[Look]] = {}
    there = select(SourceLook).where(col(SourceLook.url).in_({page(url) for url in urls}), SourceLook.at >= moment)
    for row in session.exec(there.order_by(col(SourceLook.at), col(SourceLook.id))) if urls else ():
        found.setdefault(row.url, []).append(_look(row))
    return found


def read(session: Session, urls: Collection[str]) -> dict[str, Look]:
    """Return the newest look at each address that took its words or says why it could not, by address."""
    about = (col(SourceLook.text) != "") | (col(SourceLook.trouble) != "")
    there = select(SourceLook).where(col(SourceLook.url).in_({page(url) for url in urls}), about)
    found: dict[str, Look] = {}
    for row in session.exec(there.order_by(col(SourceLook.at), col(SourceLook.id))) if urls else ():
        if row.text or not found.get(row.url, _look(row)).text:
            found[row.url] = _look(row)
    return found


def discard(session: Session, *, now: datetime) -> int:
    """Discard the words that are older than 30 days; their fingerprints stay. Return of how many looks."""
    old = update(SourceLook).where(col(SourceLook.at) < now - KEPT, col(SourceLook.text) != "")
    return int(session.execute(old.values(text="")).rowcount)  # type: ignore[attr-defined]


def unread(session: Session, urls: Sequence[str], *, since: datetime) -> list[str]:
    """Return those of the addresses of which no words are held and nobody tried to take them since a moment."""
    known = read(session, urls)
    tried = {url for url, look in known.items() if look.text or look.at >= since}
    return [url for url in dict.fromkeys(map(page, urls)) if url not in tried and there(url)]


def _look(row: SourceLook) -> Look:
    return Look(
        url=row.url, at=row.at, status=row.status, trouble=row.trouble, title=row.title, sha256=row.sha256,
        paragraphs=tuple(row.paragraphs), corrections=row.corrections, text=row.text,
    )  # fmt: skip
