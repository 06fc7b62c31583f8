"""Attribution: the words that say where a briefing came from, made from its sources and never typed."""

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.editorial.document import Assistance, Citation, Document, Role

#: What stands before the name of the source that led the desk to the story.
DISCOVERED = "This briefing began from a discovered source item from"
#: What stands before the name of the first source of a story that the desk found by itself.
WRITTEN = "This briefing was written from"
#: What stands before the names of the other sources.
ALSO = "It also draws on"
#: The words of the link to the original.
OPEN = "Open the original source."

_DISCLOSURES = {
    Assistance.NONE: "",
    Assistance.AI_EDITED: "A person wrote this briefing; software polished the wording, and an editor checked it.",
    Assistance.AI_TRANSLATED: "A person wrote this briefing; software translated it, and an editor checked it.",
    Assistance.AI_DRAFTED: "Software wrote a first version of this briefing; an editor rewrote and checked it.",
}


@dataclass(frozen=True, kw_only=True)
class SourceNote:
    """What follows "Source assisted:"; `original` is what the link opens."""

    before: str
    original: Citation
    others: tuple[Citation, ...] = ()

    @property
    def also(self) -> str:
        """Return the sentence on the other sources, empty where there are none."""
        return f"{ALSO} {'; '.join(source.name for source in self.others)}." if self.others else ""

    @property
    def sentence(self) -> str:
        """Return the note in plain words, without the link."""
        return f"{self.before} {self.original.name}. {self.also}".rstrip()


def source_note(document: Document) -> SourceNote | None:
    """Return the note of one briefing, None while it names no source."""
    if not document.sources:
        return None
    discovered = [source for source in document.sources if source.role is Role.DISCOVERY]
    original = (discovered or document.sources)[0]
    return SourceNote(
        before=DISCOVERED if discovered else WRITTEN,
        original=original,
        others=tuple(source for source in document.sources if source is not original),
    )


def disclosure(document: Document) -> str:
    """Return the sentence that says what a machine had to do with the wording, empty where nothing."""
    sentence = _DISCLOSURES[document.assistance]
    return f"{sentence} {document.assistance_note}".strip()


def credits(documents: Iterable[Document]) -> list[Citation]:
    """Return every source of an issue once, by its address, in the order of the briefings."""
    found: dict[str, Citation] = {}
    for document in documents:
        for source in document.sources:
            found.setdefault(source.url or source.name, source)
    return list(found.values())
