"""What the templates are given: an issue's words, in the order and form in which a theme sets them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from newsletter.editorial import attribution
from newsletter.editorial.document import Citation, Document
from newsletter.issues.content import IssueContent, ItemContent
from newsletter.rendering import markdown
from newsletter.rendering.rendered import Links
from newsletter.rendering.slots import MARKER, Slot, refuse_markers
from newsletter.settings import Settings

# Languages written from right to left, by their first subtag.
_LEFTWARD = {"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A related briefing, as a link."""

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One item of the issue; texts are Markdown but for the title, the label and the notes.

    `note` is empty while the briefing names no source; `original` is what "Open the original source" opens.
    """

    position: int
    id: str
    url: str
    label: str
    desk: str
    title: str
    language: str
    direction: str
    introduction: str
    key_points: tuple[str, ...]
    why_it_matters: str
    buyer_relevance: str
    related: tuple[Neighbour, ...]
    note: str
    original: str
    disclosure: str


def values(
    content: IssueContent, settings: Settings, links: Links, *, dated: date | None, slots: dict[str, str]
) -> dict[str, object]:
    """Return the names that a template may use, with their values."""
    publication = settings.publication
    return {
        "publication": {
            "name": publication.name,
            "language": publication.language,
            "direction": direction(publication.language),
            "reports": one_line(publication.reports),
            "postal_address": one_line(publication.postal_address),
        },
        "issue": {
            "id": content.id,
            "subject": one_line(content.subject),
            "preheader": one_line(content.preheader),
            "intro": content.intro.strip(),
            "dated": f"{dated:%A}, {dated.day} {dated:%B %Y}" if dated else "",
        },
        "items": [piece(item, links) for item in content.items],
        "credits": attribution.credits([item.document for item in content.items]),
        "links": {"online": links.online, "standards": links.standards},
        "slots": slots,
    }


def piece(item: ItemContent, links: Links) -> Piece:
    """Return an item as a theme sets it."""
    document = item.document
    note = attribution.source_note(document)
    return Piece(
        position=item.position,
        id=document.id,
        url=links.briefing(document.id),
        label=document.label.value.capitalize(),
        desk=document.desk,
        title=one_line(document.title),
        language=document.language,
        direction=direction(document.language),
        introduction=document.introduction,
        key_points=document.key_points,
        why_it_matters=document.why_it_matters,
        buyer_relevance=document.buyer_relevance,
        related=tuple(
            Neighbour(title=one_line(each.title), url=links.briefing(each.briefing)) for each in item.related
        ),
        note=one_line(f"Source assisted: {note.sentence}") if note else "",
        original=note.original.url if note else "",
        disclosure=one_line(attribution.disclosure(document)),
    )


def one_line(text: str) -> str:
    """Return the text with each run of white space as one space."""
    return " ".join(text.split())


def direction(language: str) -> str:
    """Return how the language is written: `ltr` or `rtl`."""
    return "rtl" if language.lower().split("-")[0] in _LEFTWARD else "ltr"


def stand_ins(content: IssueContent) -> dict[str, str]:
    """Return a word for each slot that stands nowhere in the issue, for its hash is part of the word."""
    token = hashlib.sha256(repr(content).encode("utf-8", "backslashreplace")).hexdigest()[:24]
    return {slot.value: f"slot-{token}-{slot.value}" for slot in Slot}


def refuse_found_markers(rendered: str, content: IssueContent, settings: Settings) -> None:
    """Refuse a rendering in which somebody's text reads as a slot, and name the place."""
    found = MARKER.search(rendered)
    if not found:
        return
    for where, text in _texts(content, settings):
        for form in (text, markdown.html(text), markdown.text(text)):
            refuse_markers(form, where)
    refuse_markers(rendered, f"issue {content.id} (in a template, write {{{{ slots.{found[1]} }}}})")


def _texts(content: IssueContent, settings: Settings) -> Iterator[tuple[str, str]]:
    issue = f"issue {content.id}"
    yield from [
        (f"{issue}, subject", content.subject),
        (f"{issue}, preheader", content.preheader),
        (f"{issue}, introduction", content.intro),
    ]
    for name in ("name", "reports", "postal_address"):
        yield f"{name} in [publication]", getattr(settings.publication, name)
    for item in content.items:
        yield from _of_document(item.document)
        yield from ((f"briefing {each.briefing}, title", each.title) for each in item.related)


def _of_document(document: Document) -> Iterator[tuple[str, str]]:
    briefing = f"briefing {document.id}"
    for name in ("title", "introduction", "why_it_matters", "buyer_relevance", "desk", "assistance_note"):
        yield f"{briefing}, {name.replace('_', ' ')}", getattr(document, name)
    for number, point in enumerate(document.key_points, start=1):
        yield f"{briefing}, key point {number}", point
    for source in document.sources:
        yield from _of_source(source, briefing)


def _of_source(source: Citation, briefing: str) -> Iterator[tuple[str, str]]:
    for name in ("name", "title", "url"):
        yield f"{briefing}, {name} of a source", getattr(source, name)
