"""The words of a text with their places, in the one spelling in which two texts are compared."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from newsletter.editorial import text

# A CJK character stands for itself; other words may have an apostrophe in them, and are parted by hyphens.
_TOKEN = re.compile(rf"{text.CJK}|(?:(?!{text.CJK})[^\W_])+(?:['’](?:(?!{text.CJK})[^\W_])+)*")
_CJK = re.compile(text.CJK)
# The same where no such character stands, which costs a third of it.
_PLAIN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# Quotation marks in pairs, within one paragraph.
_QUOTE = re.compile(
    "|".join(rf"{a}(?:[^{a}{b}\n]|\n(?!\n))+{b}" for a, b in ("“”", "„“", "«»", "「」", "『』", '""')), re.DOTALL
)
_BLOCK = re.compile(r"(?:^[ ]{0,3}>.*(?:\n|$))+", re.MULTILINE)


class Token(NamedTuple):
    """A word as it is compared, and where it stands."""

    word: str
    start: int
    end: int


@dataclass(frozen=True)
class Passage:
    """A part of a briefing as its reader sees it: plain text, its words, and the spans that are quotations."""

    where: str
    text: str
    tokens: tuple[Token, ...]
    quotes: tuple[tuple[int, int], ...]


def passage(where: str, markdown: str) -> Passage:
    """Return a part of a briefing, read for comparison."""
    pieces: list[str] = []
    blocks: list[tuple[int, int]] = []
    done = 0
    for found in _BLOCK.finditer(markdown):
        pieces.append(text.plain(markdown[done : found.start()]))
        start = sum(map(len, pieces))
        pieces.append(text.plain(found[0]))
        blocks.append((start, start + len(pieces[-1])))
        done = found.end()
    pieces.append(text.plain(markdown[done:]))
    plain = "".join(pieces)
    marked = [found.span() for found in _QUOTE.finditer(plain)]
    inside = [span for span in marked if not any(start <= span[0] < end for start, end in blocks)]
    return Passage(where, plain, tokens(plain), tuple(sorted([*blocks, *inside])))


def tokens(plain: str) -> tuple[Token, ...]:
    """Return the words of a plain text; full-width and small letters count as the same."""
    return tuple(Token(spelled(found[0]), *found.span()) for found in _pattern(plain).finditer(plain))


def words(plain: str) -> list[str]:
    """Return the words of a plain text without their places."""
    if plain.isascii():
        return _PLAIN.findall(plain.lower())
    return [spelled(word) for word in _pattern(plain).findall(plain)]


def _pattern(plain: str) -> re.Pattern[str]:
    return _TOKEN if _CJK.search(plain) else _PLAIN


def spelled(word: str) -> str:
    """Return a word in the spelling in which it is compared."""
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold().replace("’", "'")


def weight(found: Iterable[str]) -> float:
    """Return how many words long a run is: two CJK characters weigh as much as a word."""
    words = list(found)
    if not _CJK.search("".join(words)):
        return float(len(words))
    return sum(0.5 if _CJK.match(word) else 1.0 for word in words)


def joined(found: Sequence[str]) -> str:
    """Return words as one line with a blank at each end, so that a run of words can be looked for in it."""
    return f" {' '.join(found)} "
