"""Originals: the pages that briefings cite, asked for what they say now."""

import importlib.util
import queue
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter import hosts
from newsletter.discovery import looks, parsing
from newsletter.discovery.articles import Article
from newsletter.discovery.looks import Look
from newsletter.discovery.parsing import Parsers
from newsletter.discovery.robots import Robots
from newsletter.errors import BadInput, SettingsError
from newsletter.fetching import AGENT, Client, NoAnswer
from newsletter.settings import Settings

#: Seconds for one page and for a look at many, pages at a time, seconds between two pages of a host.
PAGE, LOOK, AT_ONCE, PAUSE = 8.0, 20.0, 16, 0.3
#: The same pause where words are taken; with fewer characters a page gave a teaser.
READING, SHORT = 5.0, 600
_LATE = "there was no time to look"


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
        self._robots = Robots(self.client, pause=self.pause)

    def look(self, urls: Iterable[str], *, now: datetime) -> list[Look]:
        """Return what stands at each address.

        What could not be looked at in time says so; of words it is left out, for the next time to try.
        """
        places = [_Place(url) for url in dict.fromkeys(map(looks.page, urls)) if looks.there(url)]
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
        late = [] if self.words else [Look(url=each.url, at=now, trouble=_LATE) for each in places]
        return [*found.values(), *(each for each in late if each.url not in found)]

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
