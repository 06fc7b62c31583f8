"""R1: what a text takes from its sources, held against what each of them lets the desk take."""

from collections.abc import Iterator

from newsletter import rights
from newsletter.editorial.document import Document
from newsletter.editorial.evidence import Evidence
from newsletter.editorial.rules import Remark
from newsletter.rights import Policy

_NEXT = "say it in the desk's own words, or ask the source and change its row under [[rights]] in newsletter.toml"


def unnamed(document: Document, seen: Evidence) -> Iterator[Remark]:
    """R1: a desk that has a table of rights has a row for each source."""
    for number, source in enumerate(document.sources, start=1):
        if seen.rights and source.url and rights.of(seen.rights, source.url) is None:
            told = f"the table of rights has no row for {source.name or source.url}"
            yield Remark(f"sources {number}", told, "add one under [[rights]] in newsletter.toml")


def exceeded(document: Document, seen: Evidence) -> Iterator[Remark]:
    """R1: no more words are a source's than it lets the desk take, quoted or not."""
    for number, source in enumerate(document.sources, start=1):
        right = rights.of(seen.rights, source.url)
        taken = sum(run.shared for run in seen.overlap.runs if run.source == number) if seen.overlap else 0
        if right is None or right.policy is Policy.LICENSED or taken <= right.words:
            continue
        allowed = f"{right.words} may be" if right.policy is Policy.EXCERPT else "its rights allow a link only"
        yield Remark(f"sources {number}", f"{taken} words in runs are {source.name}'s, and {allowed}", _NEXT)


def ended(document: Document, seen: Evidence) -> Iterator[Remark]:
    """R1: the licence of a source still runs."""
    for number, source in enumerate(document.sources, start=1):
        right = rights.of(seen.rights, source.url)
        if right and right.until and seen.now.date() > right.until:
            told = f"the licence for {source.name}'s words ended on {right.until}"
            yield Remark(f"sources {number}", told, "renew it, or change its row under [[rights]] in newsletter.toml")
