"""What a briefing says that none of the sources held says: quotations, numbers and names."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.editorial import tokens
from newsletter.editorial.document import Document
from newsletter.editorial.related import FUNCTION
from newsletter.editorial.sources import Held
from newsletter.editorial.tokens import Passage

#: Shorter quotations are words in inverted commas.
QUOTE = 4
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,’'\u00a0\u202f ]\d{3}(?!\d))*(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W_](?:[\w’'&-]*\w)?")
_END = re.compile(r"[.!?…:]|\n\s*\n|\n")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_LARGE = "thirty forty fifty sixty seventy eighty ninety hundred"
_NUMERALS = {word: str(value) for value, word in enumerate(_SMALL.split())}
_NUMERALS |= {word: str(ten * 10) for ten, word in enumerate(_LARGE.split(), start=3)}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something that a briefing says, and where it says it first."""

    where: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """What no source held says, for the reviewer to look up; each is told once."""

    quotes: tuple[Claim, ...] = ()
    numbers: tuple[Claim, ...] = ()
    names: tuple[Claim, ...] = ()


def unsupported(document: Document, passages: Sequence[Passage], sources: Sequence[Held]) -> Unsupported:
    """Return what a briefing says and its sources do not, as far as the desk holds their words."""
    held = [*(source.text for source in sources), *(f"{each.name} {each.title}" for each in document.sources)]
    whole = "\n\n".join(filter(None, held))
    words = tokens.words(whole)
    line, known = tokens.joined(words), {*words, *(word.removesuffix("'s") for word in words)}
    numbers = {*map(_plain, _NUMBER.findall(whole)), *(_NUMERALS[word] for word in words if word in _NUMERALS)}
    for source in document.sources:
        for moment in filter(None, (source.published, source.retrieved)):
            numbers |= _dated(moment)
            known |= {f"{moment:%B}".lower(), f"{moment:%A}".lower()}
    return Unsupported(
        quotes=_once(quote for quote in _quotes(passages) if tokens.joined(tokens.words(quote.text)) not in line),
        numbers=_once(number for number in _numbers(passages) if _plain(number.text) not in numbers),
        names=_once(name for name in _names(passages) if not known.issuperset(_bare(name.text))),
    )


def _quotes(passages: Iterable[Passage]) -> Iterator[Claim]:
    for passage in passages:
        for start, end in passage.quotes:
            text = " ".join(passage.text[start:end].split())
            if tokens.weight(tokens.words(text)) >= QUOTE:
                yield Claim(where=passage.where, text=text)


def _numbers(passages: Iterable[Passage]) -> Iterator[Claim]:
    for passage in passages:
        for found in _NUMBER.finditer(passage.text):
            yield Claim(where=passage.where, text=found[0])


def _plain(number: str) -> str:
    """Return a number without the marks between its thousands: 1,200 and 1200 are one."""
    bare = re.sub(r"[,’'\u00a0\u202f ](?=\d{3}(?!\d))", "", number).replace(",", ".")
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def _dated(moment: datetime) -> set[str]:
    return {str(moment.year), str(moment.day), f"{moment.day:02}", str(moment.month), f"{moment.month:02}"}


def _names(passages: Iterable[Passage]) -> Iterator[Claim]:
    """Yield the words in capitals; a sentence's first word only when it is more than a word that begins one."""
    for passage in passages:
        if passage.where == "title":  # some desks write every word of it large
            continue
        for first, group in _capitals(passage.text):
            if first and (group[0].lower() in FUNCTION or not (len(group) > 1 or _acronym(group[0]))):
                group = group[1:]
            if group and any(len(word) > 1 for word in group):
                yield Claim(where=passage.where, text=" ".join(group).removesuffix("'s").removesuffix("’s"))


def _capitals(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield each run of words in capitals, and whether it begins a sentence."""
    group: list[str] = []
    opened = True
    last = 0
    for found in _WORD.finditer(text):
        between = text[last : found.start()]
        begins = last == 0 or bool(_END.search(between))
        if group and (begins or between != " " or not found[0][0].isupper()):
            yield opened, group
            group = []
        if found[0][0].isupper():
            if not group:
                opened = begins
            group.append(found[0])
        last = found.end()
    if group:
        yield opened, group


def _acronym(word: str) -> bool:
    return sum(mark.isupper() for mark in word) > 1


def _bare(name: str) -> list[str]:
    return [word.removesuffix("'s") for word in tokens.words(name)]


def _once(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    found: dict[str, Claim] = {}
    for claim in claims:
        found.setdefault(claim.text.casefold(), claim)
    return tuple(found.values())
