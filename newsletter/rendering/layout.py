"""What the templates are given: an issue's words, in the order and form in which a theme sets them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from newsletter.editorial import attribution
from newsletter.editorial.document import Citation, Document
from newsletter.issues.content import IssueContent, ItemContent, Terms
from newsletter.rendering import markdown
from newsletter.rendering.marks import Marks
from newsletter.rendering.personal import Condition
from newsletter.rendering.rendered import Links
from newsletter.rendering.slots import MARK, refuse_markers, strip_controls
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

    `note` is empty while the briefing names no source; `original` is what "Open the original source" opens. `shown`
    and `relevance_shown` are the conditions for `only`, None where there are none.
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
    shown: Condition | None
    relevance_shown: Condition | None


@dataclass(frozen=True, kw_only=True)
class Credit:
    """A source of the issue; `shown` is the condition for `only`, None where every copy has an item of it."""

    name: str
    title: str
    url: str
    shown: Condition | None


def values(
    content: IssueContent, settings: Settings, links: Links, *, dated: date | None, marks: Marks
) -> dict[str, Any]:
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
            **said(content, marks),
            "date": dated,
        },
        "items": [piece(item, links, content.terms) for item in content.items],
        "correction": content.correction,
        "credits": credits(content),
        "links": {
            "online": links.online,
            "standards": links.standards,
            "feedback": links.feedback,
            "write": f"mailto:{quote(links.feedback, safe='@')}" if links.feedback else "",
        },
        "slots": marks.slots(),
        "personal": marks.personal,
        "only": marks.only,
    }


def said(content: IssueContent, marks: Marks) -> dict[str, str]:
    """Return the issue's own words, with stand-ins for what differs by reader."""
    where = f"issue {content.id}"
    return {
        "subject": one_line(strip_controls(marks.said(content.subject, f"{where}, subject"))),
        "preheader": one_line(strip_controls(marks.said(content.preheader, f"{where}, preheader"))),
        "intro": marks.said(content.intro, f"{where}, introduction", blocks=True).strip(),
    }


def alternatives(content: IssueContent, marks: Marks) -> list[str]:
    """Return the issue's other subjects, with stand-ins for what differs by reader."""
    named = ((f"issue {content.id}, subject {number}", each) for number, each in enumerate(content.alternatives, 2))
    return [one_line(strip_controls(marks.said(each, where))) for where, each in named]


def conditions(items: Iterable[Piece]) -> list[Condition]:
    """Return the conditions of the issue's items and relevance paragraphs."""
    return [condition for item in items for condition in (item.shown, item.relevance_shown) if condition]


def shown(item: ItemContent, terms: Terms) -> Condition | None:
    """Return the condition under which a copy has the item."""
    return Condition(items=(item.position - 1,)) if terms.by_topic else None


def relevance_shown(item: ItemContent, terms: Terms) -> Condition | None:
    """Return the condition under which the item comes with its relevance paragraph."""
    audience = item.document.audience
    return Condition(audience=audience) if terms.by_audience and audience and item.document.buyer_relevance else None


def credits(content: IssueContent) -> list[Credit]:
    """Return every source of the issue once, each shown with the items that draw on it."""
    found = []
    for source in attribution.credits([item.document for item in content.items]):
        drawing = tuple(
            number
            for number, item in enumerate(content.items)
            if any((each.url or each.name) == (source.url or source.name) for each in item.document.sources)
        )
        always = not content.terms.by_topic or len(drawing) == len(content.items)
        condition = None if always else Condition(items=drawing)
        found.append(Credit(name=source.name, title=source.title, url=source.url, shown=condition))
    return found


def piece(item: ItemContent, links: Links, terms: Terms) -> Piece:
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
        shown=shown(item, terms),
        relevance_shown=relevance_shown(item, terms),
    )


def one_line(text: str) -> str:
    """Return the text with each run of white space as one space."""
    return " ".join(text.split())


def direction(language: str) -> str:
    """Return how the language is written: `ltr` or `rtl`."""
    return "rtl" if language.lower().split("-")[0] in _LEFTWARD else "ltr"


def refuse_found_markers(rendered: str, content: IssueContent, settings: Settings) -> None:
    """Refuse a rendering in which somebody's text reads as a slot, and name the place."""
    found = MARK.search(rendered)
    if not found:
        return
    for where, text in _texts(content, settings):
        for form in (text, markdown.html(text), markdown.text(text)):
            refuse_markers(form, where)
    refuse_markers(rendered, f"issue {content.id} (in a template, write {{{{ slots.{found[1]} }}}} and the like)")


def _texts(content: IssueContent, settings: Settings) -> Iterator[tuple[str, str]]:
    issue = f"issue {content.id}"
    yield from [
        (f"{issue}, subject", content.subject),
        *((f"{issue}, subject {number}", each) for number, each in enumerate(content.alternatives, 2)),
        (f"{issue}, preheader", content.preheader),
        (f"{issue}, introduction", content.intro),
    ]
    for name in ("name", "reports", "postal_address"):
        yield f"{name} in [publication]", getattr(settings.publication, name)
    if content.correction:
        yield f"{issue}, what was wrong", content.correction.wrong
        yield f"{issue}, what is right", content.correction.right
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
