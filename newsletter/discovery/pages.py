"""Pages: where the feed of a page is, by what the page itself says (`rel=alternate`)."""

from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import html
from lxml.etree import ParserError

from newsletter.discovery import cleaning
from newsletter.discovery.parsing import Parsers
from newsletter.errors import BadInput, Refused
from newsletter.fetching import Client, NoAnswer

_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A feed that answers: its address, and what it calls itself."""

    url: str
    title: str


def find(url: str, *, client: Client, parsers: Parsers) -> Found:
    """Return the feed at an address, or the one feed that the page there names; Refused when it names several."""
    address = cleaning.link(url)
    if not address:
        raise BadInput(f"{url!r} is no address; give the feed, or a page that has one, as https://...")
    answer = _answer(address, client)
    try:
        return _found(address, answer, parsers)
    except BadInput:
        named = alternates(answer[1], base=answer[0])
    if not named:
        raise BadInput(f"{address} is no feed and names none (rel=alternate); give the feed's own address")
    if len(named) > 1:
        lines = "\n".join(f"  {each.url}  {each.title}".rstrip() for each in named)
        raise Refused(f"{address} names {len(named)} feeds; add the one that you want by its address:\n{lines}")
    return _found(named[0].url, _answer(named[0].url, client), parsers)


def _answer(url: str, client: Client) -> tuple[str, bytes, str]:
    try:
        answer = client.get(url)
    except NoAnswer as error:
        raise BadInput(f"{url} cannot be fetched: {error}") from error
    if answer.status != 200:
        raise BadInput(f"{url} answers {answer.status}; see whether it opens in a browser, and add what it leads to")
    return answer.url, answer.body, answer.headers.get("content-type", "")


def _found(url: str, answer: tuple[str, bytes, str], parsers: Parsers) -> Found:
    final, body, content_type = answer
    document = parsers.parse(body, url=final, content_type=content_type)
    return Found(url=url, title=document.title)


def alternates(data: bytes, *, base: str) -> list[Found]:
    """Return the feeds that a page names, in its order, each once."""
    try:
        tree = html.document_fromstring(data[: 2 << 20], parser=html.HTMLParser(encoding=None, no_network=True))
    except (ParserError, ValueError):
        return []
    found: dict[str, Found] = {}
    for each in tree.iter("link"):
        words = str(each.get("rel", "")).lower().split()
        kind = str(each.get("type", "")).partition(";")[0].strip().lower()
        address = _joined(base, str(each.get("href", "")).strip())
        if "alternate" in words and kind in _TYPES and address:
            found.setdefault(address, Found(url=address, title=cleaning.plain(each.get("title", ""), limit=200)))
    return list(found.values())


def _joined(base: str, href: str) -> str:
    try:
        return cleaning.link(urljoin(base, href)) if href else ""
    except ValueError:
        return ""
