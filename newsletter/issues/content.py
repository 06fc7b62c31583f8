"""What an issue says, as values: what the templates, the checks and the pages are given."""

from dataclasses import dataclass

from newsletter.editorial.document import Document


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
class IssueContent:
    """One digest: its words and its items in order. `intro` is Markdown."""

    id: int
    subject: str
    preheader: str
    intro: str
    items: tuple[ItemContent, ...]
