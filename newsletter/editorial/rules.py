"""What each standards rule looks for: one function a rule, which yields a remark for every fault that it sees."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from newsletter.editorial import text
from newsletter.editorial.body import SECTIONS, parts
from newsletter.editorial.document import Assistance, Citation, Document
from newsletter.editorial.evidence import Evidence

#: Lengths in words: (least, most).
INTRODUCTION, SECTION, TOTAL, POINT = (25, 70), (60, 200), (250, 700), (4, 20)
#: How many key points a briefing has.
POINTS = 3
#: After how many days a source is no news any more.
STALE = timedelta(days=30)

_PLACEHOLDER = re.compile(
    r"\b(?:TK)+\b|\bTODO\b|\bXXX+\b|(?i:\blorem ipsum\b)|\{\{|\{%|\[[^\]\n]*\]\(\s*(?:#|<\s*>)?\s*\)|\[\s*\]\([^)\n]*\)"
)
# The target of a link in its place, or of one that is defined below the text (CommonMark 6.3 and 4.7).
_TARGET = re.compile(r"\]\(\s*<?([^)>\s]*)|^ {0,3}\[[^\]\n]+\]:\s*<?([^>\s]+)", re.MULTILINE)


@dataclass(frozen=True)
class Remark:
    """A fault: where it is, what it is, and what to do about it."""

    where: str
    message: str
    next: str


def credited(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """A1: there is a source, and each has a name, a web address and the time at which the desk read it."""
    if not document.sources:
        yield Remark("sources", "no source is named", "add one with name, url and retrieved")
    for number, source in enumerate(document.sources, start=1):
        where = f"sources {number}"
        if not source.name:
            yield Remark(where, "the source has no name", "write name: as readers know it")
        if not _is_web(source.url):
            shown = repr(source.url) if source.url else "nothing"
            yield Remark(where, f"its address is {shown}, no link a reader can open", "write url: https://...")
        if not source.retrieved:
            yield Remark(where, "it does not say when the desk read it", "write retrieved: with date and time")


def _is_web(url: str) -> bool:
    try:
        found = urlsplit(url)
        return found.scheme in ("http", "https") and bool(found.hostname) and not re.search(r"[\s<>\"\\]", url)
    except ValueError:  # a bracket without its partner reads as half an IPv6 address
        return False


def impossible_dates(document: Document, seen: Evidence) -> Iterator[Remark]:
    """A6: a source was published before it was read, and read before now."""
    for number, source in enumerate(document.sources, start=1):
        where = f"sources {number}"
        for name, moment in (("published", source.published), ("retrieved", source.retrieved)):
            if moment and moment > seen.now:
                yield Remark(where, f"{name} is {moment:%Y-%m-%d %H:%M%z}, in the future", f"correct {name}:")
        if source.published and source.retrieved and source.published > source.retrieved:
            yield Remark(where, "it was read before it was published", "correct published: or retrieved:, with times")


def stale_sources(document: Document, seen: Evidence) -> Iterator[Remark]:
    """A6: no source is older than a month."""
    for number, source in enumerate(document.sources, start=1):
        moment = source.published or source.retrieved
        if moment and seen.now - moment > STALE:
            days = (seen.now - moment).days
            yield Remark(f"sources {number}", f"it is {days} days old", "see that the story still holds")


def complete(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T1: every part has words; the format itself holds their order."""
    for where, words in parts(document).items():
        if not text.length(words):
            yield Remark(where, "there are no words", "write it")


def three_points(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T2: there are exactly three key points."""
    count = len(document.key_points)
    if count != POINTS:
        yield Remark("Key points", f"there are {count} of them", f"make it {POINTS}")


def short_points(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T2: a key point is short, and no sentence of the text over again."""
    body = [words for name, words in parts(document).items() if name != "title" and not name.startswith("Key points")]
    said = {tuple(text.words(sentence)) for words in body for sentence in text.sentences(words)}
    for number, point in enumerate(document.key_points, start=1):
        where = f"Key points {number}"
        yield from _length(where, point, POINT)
        if tuple(text.words(point)) in said:
            yield Remark(where, "it is a sentence of the text, word for word", "say it shorter, in other words")


def right_lengths(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T3: the introduction, the sections and the whole can be read in the time a reader has."""
    yield from _length("introduction", document.introduction, INTRODUCTION)
    for name, key in SECTIONS.items():
        if key != "key_points":
            yield from _length(name, getattr(document, key), SECTION)
    whole = "\n\n".join(words for name, words in parts(document).items() if name != "title")
    yield from _length("the whole", whole, TOTAL)


def _length(where: str, words: str, limits: tuple[int, int]) -> Iterator[Remark]:
    length, (least, most) = text.length(words), limits
    if length and not least <= length <= most:
        yield Remark(where, f"it is {length} words long", f"make it {least} to {most}")


def no_placeholders(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T4: nothing stands in for words that were to come."""
    named = {f"sources {number}": _named(source) for number, source in enumerate(document.sources, start=1)}
    for where, words in {**parts(document), **named, "desk": document.desk}.items():
        found = _PLACEHOLDER.search(words)
        if found:
            yield Remark(where, f"{found[0]!r} holds a place for words to come", "write them, or take it out")


def openable_links(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T6: each link leads out of the mail, to an address that mail programs open."""
    for where, words in parts(document).items():
        for found in _TARGET.finditer(words):
            target = found[1] or found[2] or ""
            if not target.lower().startswith(("https://", "http://", "mailto:")):
                yield Remark(where, f"the link to {target!r} opens nothing in a mail", "link to a whole https address")


def _named(source: Citation) -> str:
    return f"{source.name}\n{source.title}"


def declared(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """L1: somebody answers for the text, and readers learn what a machine had to do with it."""
    if not document.author:
        yield Remark("author", "nobody answers for the text", "write author: with a person's short name")
    if document.assistance is Assistance.AI_DRAFTED and not document.assistance_note:
        yield Remark("assistance", "it was drafted by a machine and does not say how", "write assistance_note:")


def embargoed(document: Document, seen: Evidence) -> Iterator[Remark]:
    """E1: the embargo is over."""
    if document.embargo and document.embargo > seen.now:
        until = f"{document.embargo:%Y-%m-%d %H:%M%z}"
        yield Remark("embargo", f"it is under embargo until {until}", "wait, or correct embargo:")


def expired(document: Document, seen: Evidence) -> Iterator[Remark]:
    """E1: the text is still good, and will be once its embargo is over."""
    if document.expires and document.expires <= seen.now:
        yield Remark("expires", f"it expired on {document.expires:%Y-%m-%d}", "bring it up to date and move expires:")
    elif document.expires and document.embargo and document.expires <= document.embargo:
        until = f"{document.embargo:%Y-%m-%d %H:%M%z}"
        yield Remark("expires", f"its embargo ends on {until}, when it has expired", "correct embargo: or expires:")
