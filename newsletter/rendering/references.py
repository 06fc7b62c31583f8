"""The links of a plain text: a number in the text, and the address once, where every reader who meets the number is."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from newsletter.rendering import markdown
from newsletter.rendering.wrapping import wrap

#: How long an address without words of its own may be to stand in the text, less its `https://`.
SHORT = 40
_HANGING = " " * 4
_ENTRY = re.compile(r"^\[(\d+)\](?: |$)")
_ADDRESS = re.compile(r"(?:https?://|\[\[\w+\]\]).*|[^\s@]+@[^\s@]+")


@dataclass(frozen=True)
class Reference:
    """A number and the address that it stands for."""

    number: int
    url: str


@dataclass
class References:
    """The numbers that one text has given out; `kept` are addresses that are told at its end, for several parts."""

    kept: frozenset[str]
    _numbers: dict[str, int] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def number(self, url: str) -> int:
        """Return the number of an address, a new one at its first use."""
        return self._numbers.setdefault(str(url).removeprefix("mailto:"), len(self._numbers) + 1)

    def mark(self, url: str) -> str:
        """Return what stands in the text for an address."""
        return f"[{self.number(url)}]"

    def link(self, words: str, url: str) -> str:
        """Return what stands in the text for a link; one without words is named by as much as helps to know it."""
        host = urlsplit(url).netloc or url
        short = url.partition("://")[2] or url
        return f"{words or (short if len(short) <= SHORT else host)} {self.mark(url)}"

    def here(self) -> list[Reference]:
        """Return what was referred to and told nowhere yet, but for what is kept for the end."""
        return self._tell(url for url in self._numbers if url not in self.kept)

    def rest(self) -> list[Reference]:
        """Return everything that was told nowhere yet."""
        return self._tell(self._numbers)

    def entry(self, words: str, url: str) -> str:
        """Return an address with its number and its words, told here."""
        named = wrap(f"{self.mark(url)} {words}", rest=_HANGING)
        self._told.add(url)
        return f"{named}\n{_HANGING}{url}"

    def _tell(self, urls: Iterable[str]) -> list[Reference]:
        fresh = [url for url in urls if url not in self._told]
        self._told.update(fresh)
        return [Reference(self._numbers[url], url) for url in fresh]


def of(values: Mapping[str, Any]) -> References:
    """Return the references of a text that is yet to be written.

    Not every reader is shown every item; so what two items link to, and a source's address, are told at the end.
    """
    counted = Counter(url for item in values.get("items", ()) for url in _linked(item))
    shared = {url for url, times in counted.items() if times > 1}
    return References(frozenset(shared | {source.url for source in values.get("credits", ())}))


def read(text: str) -> dict[int, str]:
    """Return the address of each number of a finished text."""
    found: dict[int, str] = {}
    number = 0
    for line in text.split("\n"):
        entry = _ENTRY.match(line)
        number = int(entry[1]) if entry else number if line.startswith(_HANGING) else 0
        said = line[entry.end() :] if entry else line.strip()
        if number and number not in found and _ADDRESS.fullmatch(said):
            found[number] = said
    return found


def _linked(item: Any) -> set[str]:
    """Return every address that an item links to."""
    texts = (item.introduction, *item.key_points, item.why_it_matters, item.buyer_relevance)
    inside = (url for text in texts for url in markdown.addresses(text))
    return {item.url, item.original, *(each.url for each in item.related), *inside}
