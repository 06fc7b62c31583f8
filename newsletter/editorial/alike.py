"""Sentences that are a source's with a word or two changed: the same words in the same order, nearly all of them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.editorial import tokens
from newsletter.editorial.sources import Held
from newsletter.editorial.tokens import Passage

#: Shorter sentences are alike by chance.
SHORTEST = 8
#: The share of a sentence's words that must stand in a source in the same order.
NEARLY = 0.85
#: Words that stand in a source more often tell nothing of a place.
_COMMON = 40
_END = re.compile(r"(?<=[.!?…])[\"'”’)»]*\s+|\n\s*\n|\n(?=\s*\n)|(?<=[。！？])")


@dataclass(frozen=True, kw_only=True)
class Alike:
    """A sentence of a briefing that says what a source says, nearly word for word; `share` of 1.0 is all of it."""

    where: str
    text: str
    source: int
    share: float


@dataclass(frozen=True)
class Sentence:
    """A sentence outside quotations, with its words as they are compared."""

    where: str
    text: str
    words: tuple[str, ...]


def sentences(passage: Passage) -> Iterator[Sentence]:
    """Yield the sentences of a passage that are long enough to be compared, and are no quotations."""
    start = 0
    for end in [*(found.end() for found in _END.finditer(passage.text)), len(passage.text)]:
        own = [
            each.word for each in passage.tokens
            if start <= each.start < end and not any(first <= each.start < last for first, last in passage.quotes)
        ]  # fmt: skip
        if tokens.weight(own) >= SHORTEST:
            yield Sentence(passage.where, " ".join(passage.text[start:end].split()), tuple(own))
        start = end


def near(found: Sequence[Sentence], sources: Sequence[Held]) -> Iterator[Alike]:
    """Yield the sentences that a source has too, but for a word or two."""
    places = [(source, _places(source.words)) for source in sources]
    for sentence in found:
        share, number = max(
            ((_share(sentence.words, source.words, where), source.number) for source, where in places), default=(0.0, 0)
        )
        if share >= NEARLY:
            yield Alike(where=sentence.where, text=sentence.text, source=number, share=round(share, 2))


def _places(words: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        found.setdefault(word, []).append(place)
    return found


def _share(own: Sequence[str], words: Sequence[str], places: dict[str, list[int]]) -> float:
    """Return which share of the own words a stretch hardly longer than they are has in the same order, at best."""
    width, slack = len(own), max(2, len(own) // 8)
    shifts = Counter(
        place - number
        for number, word in enumerate(own)
        if len(where := places.get(word, ())) <= _COMMON
        for place in where
    )
    best = 0
    for shift, _ in shifts.most_common(3):
        best = max(best, _common(own, words[max(shift - slack, 0) : max(shift + width + slack, 0)]))
    return best / width


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words two texts share in the same order (bit-parallel, after Hyyrö 2004)."""
    masks: dict[str, int] = {}
    for place, word in enumerate(one):
        masks[word] = masks.get(word, 0) | 1 << place
    full = (1 << len(one)) - 1
    state = full
    for word in other:
        matched = state & masks.get(word, 0)
        state = (state + matched | state - matched) & full
    return len(one) - state.bit_count()
