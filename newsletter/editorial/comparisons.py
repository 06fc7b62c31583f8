"""What the rules look for that hold a text against its sources and against what was sent: one function a rule."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from newsletter.editorial import links, overlap, tokens
from newsletter.editorial.claims import Claim
from newsletter.editorial.document import Document
from newsletter.editorial.evidence import Evidence
from newsletter.editorial.rules import Remark
from newsletter.editorial.sources import Held

#: Copied words in a row, the share of copied words, and of sentences that are nearly a source's: (warn, block).
RUN, COVERAGE, ALIKE = (12, 25), (0.08, 0.2), (0.0, 0.2)
#: From which cosine on two briefings tell one story, and are one text.
SAME_STORY, SAME_TEXT = 0.45, 0.8
#: How many words a finding shows, and how many things of a kind.
_SHOWN, _LISTED = 12, 12
_OWN_WORDS = "say it in the desk's own words, or quote it"


def direct(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """A3: a source's address leads straight to its page."""
    for number, source in enumerate(document.sources, start=1):
        if detour := links.detour(source.url):
            yield Remark(f"sources {number}", f"its link goes by way of {detour}", "give the page's own address")


def upstream(document: Document, seen: Evidence) -> Iterator[Remark]:
    """A4: whoever told the story first is credited, where a feed only passed it on."""
    named = {source.name.casefold() for source in document.sources} | {_host(each.url) for each in document.sources}
    for source in seen.sources:
        name = source.upstream or _host(source.upstream_url)
        if name and not {source.upstream.casefold(), _host(source.upstream_url)} & named:
            at = f" ({source.upstream_url})" if source.upstream_url else ""
            yield Remark(f"sources {source.number}", f"it passed on a story of {name}{at}", "open that, and credit it")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # a bracket without its partner reads as half an IPv6 address
        return ""


def compared(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O0: the desk held enough of the sources' words to compare with."""
    if seen.overlap and any(source.teaser for source in seen.overlap.sources):
        yield Remark("the whole", seen.overlap.against, "read the originals beside the text")


def long_runs(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O1: few words stand in a row as they stand in a source."""
    yield from _runs(seen, RUN[0], RUN[1])


def longest_runs(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O1: no passage is a source's."""
    yield from _runs(seen, RUN[1], None)


def _runs(seen: Evidence, least: int, below: int | None) -> Iterator[Remark]:
    for run in seen.overlap.runs if seen.overlap else ():
        if least <= run.words and (below is None or run.words < below):
            told = f"{run.words} words in a row are source {run.source}'s: {_cut(run.text)}"
            yield Remark(run.where, told, _OWN_WORDS)


def much_copied(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O2: a small part of the words stands in runs that a source has."""
    yield from _coverage(seen, COVERAGE[0], COVERAGE[1])


def mostly_copied(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O2: the text is the desk's own."""
    yield from _coverage(seen, COVERAGE[1], 2.0)


def _coverage(seen: Evidence, least: float, below: float) -> Iterator[Remark]:
    if seen.overlap and least <= seen.overlap.coverage < below:
        share = f"{seen.overlap.coverage:.0%} of the words"
        yield Remark("the whole", f"{share} stand in runs of {overlap.SHORTEST} or more of a source's", _OWN_WORDS)


def alike_sentences(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O3: no sentence is a source's with a word changed."""
    if seen.overlap and not _is_mostly_alike(seen):
        for found in seen.overlap.alike:
            told = f"the sentence is source {found.source}'s but for {1 - found.share:.0%} of it: {_cut(found.text)}"
            yield Remark(found.where, told, _OWN_WORDS)


def mostly_alike(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O3: the sentences are the desk's own."""
    if seen.overlap and _is_mostly_alike(seen):
        told = f"{len(seen.overlap.alike)} of {seen.overlap.sentences} sentences are nearly a source's"
        yield Remark("the whole", told, _OWN_WORDS)


def _is_mostly_alike(seen: Evidence) -> bool:
    made = seen.overlap
    return made is not None and bool(made.alike) and len(made.alike) >= ALIKE[1] * made.sentences


def quoted_right(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """O4: a quotation stands in a source, word for word."""
    for quote in seen.unsupported.quotes if seen.unsupported else ():
        yield Remark(quote.where, f"no source held says {_cut(quote.text)}", "compare it with the original")


def supported(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """N1: numbers and names come from a source."""
    if seen.unsupported:
        for kind, claims in (("numbers", seen.unsupported.numbers), ("names", seen.unsupported.names)):
            if claims:
                yield Remark(kind, f"no source held has {_list(claims)}", "look them up in the originals")


def for_somebody(document: Document, _seen: Evidence) -> Iterator[Remark]:
    """T5: the relevance says to whom, and is more than the reasons over again."""
    own = tokens.passage("Buyer relevance", document.buyer_relevance)
    said = {form for each in own.tokens for form in (each.word, each.word.removesuffix("s"))}
    named = [{word.removesuffix("s") for word in name.split("-")} for name in document.audience]
    if own.tokens and named and not any(name <= said for name in named):
        told = f"it names none of {', '.join(document.audience)}"
        yield Remark("Buyer relevance", told, "say for whom it matters, or correct audience:")
    reasons = Held(0, "Why it matters", "", text=tokens.passage("", document.why_it_matters).text)
    if own.tokens and reasons.words and overlap.compare([own], [reasons]).coverage > 0.9:
        yield Remark("Buyer relevance", "it says what Why it matters says, word for word", "say what a buyer can do")


def cited_before(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """X1: no source was already the source of a briefing that readers have."""
    for sent in seen.sent:
        if sent.url:
            told = f"{sent.url} stands behind briefing {sent.briefing} too, sent on {sent.at:%Y-%m-%d}"
            yield Remark("sources", told, "see that there is something new to tell")


def told_before(_document: Document, seen: Evidence) -> Iterator[Remark]:
    """X2: readers do not have the same story already."""
    for sent in seen.sent:
        if sent.cosine >= SAME_STORY:
            same = "is nearly this text" if sent.cosine >= SAME_TEXT else "tells much the same"
            told = f"briefing {sent.briefing}, sent on {sent.at:%Y-%m-%d}, {same} ({sent.cosine:.2f})"
            yield Remark("the whole", told, "see that there is something new to tell")


def _cut(text: str) -> str:
    words = text.split()
    return f"“{' '.join(words[:_SHOWN])}{'…' if len(words) > _SHOWN else ''}”"


def _list(claims: Sequence[Claim]) -> str:
    more = len(claims) - _LISTED
    return ", ".join(claim.text for claim in claims[:_LISTED]) + (f" and {more} more" if more > 0 else "")
