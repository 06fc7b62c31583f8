"""What an issue says, as values: what the templates, the checks and the pages are given."""

from dataclasses import dataclass

from newsletter.editorial.document import Document
from newsletter.issues.models import Unmatched


@dataclass(frozen=True, kw_only=True)
class Related:
    """A briefing worth reading beside another; `score` is their cosine, 1.0 for a pinned one."""

    briefing: str
    title: str
    sha256: str
    score: float
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ItemContent:
    """One briefing in its place, with the hash of the text that was approved."""

    position: int
    sha256: str
    document: Document
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CorrectionContent:
    """What a correction says of the one item that comes with it, with what stands over it and over its two parts."""

    label: str
    about: str
    wrong: str
    instead: str
    right: str = ""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How an issue differs from reader to reader: items by topic, relevance paragraphs by the reader's audience.

    A reader who chose topics that are nowhere in it gets the first `leads` items, or no copy.
    """

    by_topic: bool = False
    by_audience: bool = False
    leads: int = 1
    unmatched: Unmatched = Unmatched.LEAD


#: The terms of an issue that is the same for every reader.
ALIKE = Terms()


@dataclass(frozen=True, kw_only=True)
class IssueContent:
    """One digest: its words and its items in order. `intro` is Markdown; each of the words may hold expressions.

    `alternatives` are the other subjects that a part of its readers may get it under. With a `correction` it is no
    digest: its item is the briefing that was wrong, which its readers have.
    """

    id: int
    subject: str
    preheader: str
    intro: str
    items: tuple[ItemContent, ...]
    terms: Terms = ALIKE
    alternatives: tuple[str, ...] = ()
    correction: CorrectionContent | None = None
