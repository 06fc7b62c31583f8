"""The overlap: which words a briefing shares with its sources, laid beside the place where they stand there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter

from newsletter.editorial import alike, tokens
from newsletter.editorial.alike import Alike
from newsletter.editorial.sources import Held
from newsletter.editorial.tokens import Passage, Token
from newsletter.words import counted

#: Shared runs of fewer words are how a language is spoken.
SHORTEST = 6
#: How many quoted words are free of the rules, in one quotation and in one briefing.
QUOTE, QUOTES = 50, 100
#: How many words of the source are shown on each side of a run.
AROUND = 8
#: A place of the briefing is compared with so many places of a source at most.
_PLACES = 50


@dataclass(frozen=True, kw_only=True)
class Run:
    """Words that a briefing and a source share in the same order.

    `words` counts those that no quotation excuses, `shared` all of them.
    """

    where: str
    text: str
    words: int
    shared: int
    source: int
    before: str
    there: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A source, and how many of its words the desk could compare with."""

    source: int
    name: str
    url: str
    words: int
    teaser: bool
    sha256: str
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """What a briefing shares with the words of its sources that the desk holds."""

    words: int
    copied: int
    sources: tuple[Checked, ...]
    runs: tuple[Run, ...] = ()
    alike: tuple[Alike, ...] = ()
    sentences: int = 0

    @property
    def longest(self) -> int:
        """Return the length of the longest run outside quotations."""
        return max((run.words for run in self.runs), default=0)

    @property
    def coverage(self) -> float:
        """Return the share of the briefing's words that stand in such runs."""
        return self.copied / self.words if self.words else 0.0

    @property
    def compared(self) -> int:
        """Return with how many words of sources the briefing was compared."""
        return sum(source.words for source in self.sources)

    @property
    def against(self) -> str:
        """Return with what the briefing was compared, in words."""
        held = [source for source in self.sources if source.words]
        short = [_named(source) for source in self.sources if source.teaser]
        of = counted(len(self.sources), "source")
        told = f"checked against {counted(self.compared, 'word')} of {len(held)} of {of}"
        return f"{told}; only a teaser or nothing is held of {', '.join(short)}" if short else told


@dataclass
class _Allowance:
    """What is left of the quoted words that are free of the rules."""

    left: int = QUOTES
    free: set[tuple[str, int]] = field(default_factory=set)

    def grant(self, passage: Passage) -> None:
        """Free the words of a passage's quotations, as far as it goes."""
        for start, end in passage.quotes:
            inside = [number for number, each in enumerate(passage.tokens) if start <= each.start < end]
            granted = inside[: min(QUOTE, self.left)]
            self.left -= len(granted)
            self.free |= {(passage.where, number) for number in granted}


def compare(passages: Sequence[Passage], sources: Sequence[Held]) -> Overlap:
    """Return what the passages of a briefing share with its sources."""
    allowance = _Allowance()
    for passage in passages:
        allowance.grant(passage)
    indexes = [_Index(source, passages) for source in sources if source.words]
    found = [each for passage in passages for each in _runs(passage, indexes, allowance)]
    sentences = [each for passage in passages for each in alike.sentences(passage)]
    own = [number for passage in passages for number, _ in enumerate(passage.tokens)]
    return Overlap(
        words=len(own),
        copied=sum(run.words for run in found),
        sources=tuple(_checked(source) for source in sources),
        runs=tuple(found),
        alike=tuple(alike.near(sentences, [source for source in sources if source.words])),
        sentences=len(sentences),
    )


def _named(source: Checked) -> str:
    return f"{source.name} ({source.trouble})" if source.trouble else source.name


def _checked(source: Held) -> Checked:
    return Checked(
        source=source.number, name=source.name, url=source.url, words=source.length, teaser=source.teaser,
        sha256=source.sha256, trouble=source.trouble,
    )  # fmt: skip


class _Index:
    """Where in a source those six words in a row stand that a briefing has too."""

    def __init__(self, source: Held, passages: Iterable[Passage]) -> None:
        self.source, self.words = source, source.words
        wanted = {gram for passage in passages for gram in _grams([each.word for each in passage.tokens])}
        self._places: dict[tuple[str, ...], list[int]] = {}
        for place, gram in enumerate(_grams(self.words)):
            if gram in wanted:
                self._places.setdefault(gram, []).append(place)

    def longest(self, words: Sequence[str], start: int) -> tuple[int, int]:
        """Return the length and the place of the longest run that begins with the briefing's word `start`."""
        places = self._places.get(tuple(words[start : start + SHORTEST]), ())[:_PLACES]
        return max(((self._run(words, start, place), place) for place in places), default=(0, 0), key=itemgetter(0))

    def _run(self, words: Sequence[str], start: int, place: int) -> int:
        most = min(len(words) - start, len(self.words) - place)
        return next((n for n in range(SHORTEST, most) if words[start + n] != self.words[place + n]), most)

    @cached_property
    def _tokens(self) -> tuple[Token, ...]:
        return tokens.tokens(self.source.text)

    def shown(self, place: int, length: int) -> tuple[str, str, str]:
        """Return a run as it stands in the source, with the words before and after it."""
        text, found = self.source.text, self._tokens
        first, last = found[place], found[place + length - 1]
        before, after = found[max(place - AROUND, 0)].start, found[min(place + length - 1 + AROUND, len(found) - 1)].end
        pieces = text[before : first.start], text[first.start : last.end], text[last.end : after]
        return tuple(" ".join(piece.split()) for piece in pieces)  # type: ignore[return-value]


def _grams(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[first:] for first in range(SHORTEST)), strict=False)


def _runs(passage: Passage, indexes: Sequence[_Index], allowance: _Allowance) -> Iterator[Run]:
    words, place = [each.word for each in passage.tokens], 0
    while place <= len(words) - SHORTEST:
        length, there, index = max(
            ((*index.longest(words, place), index) for index in indexes), key=lambda each: each[0], default=(0, 0, None)
        )
        if index is None or tokens.weight(words[place : place + length]) < SHORTEST:
            place += 1
            continue
        yield _run(passage, (place, length), allowance, index, there)
        place += length


def _run(passage: Passage, span: tuple[int, int], allowance: _Allowance, index: _Index, there: int) -> Run:
    place, length = span
    found = passage.tokens[place : place + length]
    before, same, after = index.shown(there, length)
    return Run(
        where=passage.where, text=" ".join(passage.text[found[0].start : found[-1].end].split()),
        words=_unexcused(passage, place, found, allowance), shared=round(tokens.weight(each.word for each in found)),
        source=index.source.number, before=before, there=same, after=after,
    )  # fmt: skip


def _unexcused(passage: Passage, place: int, found: Sequence[Token], allowance: _Allowance) -> int:
    """Return the length of the longest part of a run that no quotation excuses, 0 where it is no run by itself."""
    numbered = [((passage.where, place + number) in allowance.free, each.word) for number, each in enumerate(found)]
    parts = [[word for _, word in part] for free, part in groupby(numbered, key=lambda each: each[0]) if not free]
    longest = max(map(tokens.weight, parts), default=0.0)
    return round(longest) if longest >= SHORTEST else 0
