"""What a briefing says, as values: the words of one text and the sources behind it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Label(StrEnum):
    """What kind of text the reader has before them."""

    #: news, told short
    BRIEFING = "briefing"
    #: what the news means
    ANALYSIS = "analysis"
    #: background to the news
    EXPLAINER = "explainer"
    #: paid for
    SPONSORED = "sponsored"


class Assistance(StrEnum):
    """What a machine had to do with the wording."""

    #: nothing
    NONE = "none"
    #: it polished a person's text
    AI_EDITED = "ai_edited"
    #: it translated a person's text
    AI_TRANSLATED = "ai_translated"
    #: it wrote a first version
    AI_DRAFTED = "ai_drafted"


class Role(StrEnum):
    """What a source gave to the briefing."""

    #: the item that led the desk to the story
    DISCOVERY = "discovery"
    #: a document or person at the origin of a fact
    PRIMARY = "primary"
    #: somebody else's report
    SECONDARY = "secondary"
    #: numbers
    DATA = "data"


@dataclass(frozen=True, kw_only=True)
class Citation:
    """One source of a briefing. Times are aware."""

    name: str
    url: str
    title: str = ""
    published: datetime | None = None
    retrieved: datetime | None = None
    role: Role = Role.DISCOVERY


@dataclass(frozen=True, kw_only=True)
class Document:
    """A briefing's words. Sections are the desk's Markdown; an absent section is the empty string."""

    id: str
    title: str
    introduction: str
    key_points: tuple[str, ...] = ()
    what_happened: str = ""
    why_it_matters: str = ""
    buyer_relevance: str = ""
    what_to_watch_next: str = ""
    language: str = "en"
    desk: str = ""
    label: Label = Label.BRIEFING
    topics: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    author: str = ""
    assistance: Assistance = Assistance.NONE
    assistance_note: str = ""
    embargo: datetime | None = None
    expires: datetime | None = None
    sources: tuple[Citation, ...] = ()
    related_pin: tuple[str, ...] = ()
    related_exclude: tuple[str, ...] = ()
