"""A published page as plain text: the layout that the desk's texts come in from, and go out to.

A page has no title, no addresses of its sources and nothing of the front matter; where it has no buyer relevance, the
section is left out. What `read` accepts, `write` gives back byte for byte, also after a way through the file format.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.editorial import attribution, body, files, format, text
from newsletter.editorial.document import Citation, Document, Role
from newsletter.errors import BadInput

_BULLET = "  • "
_POINTS = "Key points"  # the one section without a heading on a page: its bullets say what it is
_RELATED = "Related briefings"
_UNEVEN = re.compile(r"\A\n|\n\n\n|[ \t]+$", re.MULTILINE)
_BEGINNINGS = {
    attribution.DISCOVERED: (Role.DISCOVERY, Role.SECONDARY),
    attribution.WRITTEN: (Role.PRIMARY, Role.SECONDARY),
}
_NOTES = re.compile(
    rf"(?:Source assisted: (?P<before>{'|'.join(_BEGINNINGS)}) (?P<name>[^\n]+?)\."
    rf"(?: {attribution.ALSO} (?P<others>[^\n]+?)\.)? {re.escape(attribution.OPEN)}\n)?"
    r"How (?P<publication>[^\n]+?) reports: (?P<reports>[^\n]+) Read the standards"
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page says: the briefing, whose page it is, how that desk reports, and the titles it relates to.

    `ending` is what stands after the last word: nothing, or line breaks.
    """

    document: Document
    publication: str
    reports: str
    related: tuple[str, ...] = ()
    ending: str = ""


def write(document: Document, *, publication: str, reports: str, related: Sequence[str] = (), ending: str = "") -> str:
    """Return the page's text."""
    blocks = [document.introduction, _bullets(document.key_points)]
    for heading, key in body.SECTIONS.items():
        if heading != _POINTS and getattr(document, key):
            blocks += [heading, getattr(document, key)]
    blocks += [_notes(document, publication, reports), _RELATED, _bullets(related)]
    return "\n\n".join(block for block in blocks if block) + ending


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(_BULLET + line for line in lines)


def _notes(document: Document, publication: str, reports: str) -> str:
    note = attribution.source_note(document)
    before = f"Source assisted: {note.sentence} {attribution.OPEN}\n" if note else ""
    return f"{before}How {publication} reports: {reports} Read the standards"


def read(source: str, *, id: str, where: str = "the page") -> Page:
    """Return what the page says, under the word `id`; BadInput when it would not be written back as it is.

    The citation has the source's name and an empty address: a page does not carry one, and the gate asks for it.
    """
    whole = source.rstrip("\n")
    _refuse_marks(whole, where)
    blocks = whole.split("\n\n")
    if _RELATED not in blocks:
        last = whole.count("\n") + 1
        raise BadInput(f"{where}:{last}: no line {_RELATED!r} ends the page; add it")
    end = len(blocks) - 1 - blocks[::-1].index(_RELATED)
    notes = _NOTES.fullmatch(blocks[end - 1]) if end else None
    if not notes:
        line = "\n\n".join(blocks[:end]).count("\n") + 1
        raise BadInput(f"{where}:{line}: 'How ... reports: ... Read the standards' does not stand here; add it")
    page = Page(
        document=Document(id=id, title="", sources=_sources(notes), **_sections(blocks[: end - 1])),
        publication=notes["publication"],
        reports=notes["reports"],
        related=_points("\n".join(blocks[end + 1 :])),
        ending=source[len(whole) :],
    )
    _prove(page, source, where)
    return page


def _refuse_marks(source: str, where: str) -> None:
    found = text.refused(source)
    if found:
        raise BadInput(f"{where}:{found[0]}: the character {found[1]} cannot stand in a briefing; take it out")
    uneven = _UNEVEN.search(source)
    if uneven:
        line = source.count("\n", 0, uneven.end()) + 1
        raise BadInput(f"{where}:{line}: there are blanks at a line's end, or more than one empty line; take them out")


def load(path: Path, *, id: str) -> Page | None:
    """Return the page in a file, None where the file is something else: it has front matter, or no page's ending."""
    source = files.read(path)
    if source.startswith("---") or _RELATED not in source.split("\n"):
        return None
    return read(source, id=id, where=str(path))


def _sources(notes: re.Match[str]) -> tuple[Citation, ...]:
    if not notes["name"]:
        return ()
    first, other = _BEGINNINGS[notes["before"]]
    others = notes["others"].split("; ") if notes["others"] else []
    return (
        Citation(name=notes["name"], url="", role=first),
        *(Citation(name=name, url="", role=other) for name in others),
    )


def _sections(blocks: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"introduction": "", "key_points": ()}
    current = "introduction"
    for block in blocks:
        if block in body.SECTIONS and block != _POINTS:
            current = body.SECTIONS[block]
            found.setdefault(current, "")
        elif current == "introduction" and block.startswith(_BULLET):
            found["key_points"] = _points(block)
        else:
            found[current] = f"{found[current]}\n\n{block}" if found[current] else block
    return found


def _points(block: str) -> tuple[str, ...]:
    return tuple(line.removeprefix(_BULLET) for line in block.split("\n") if line)


def _prove(page: Page, source: str, where: str) -> None:
    """Refuse a page that the desk could not give back: its words, or their order, are not of the layout."""
    document = format.parse(format.dump(page.document), where=f"{where}, as a briefing")
    back = write(document, publication=page.publication, reports=page.reports, related=page.related, ending=page.ending)
    if back == source:
        return
    pairs = zip(source.split("\n"), [*back.split("\n"), *[""] * source.count("\n")], strict=False)
    line = next((number for number, (here, there) in enumerate(pairs, start=1) if here != there), 1)
    raise BadInput(
        f"{where}:{line}: from here the page would not be written back as it stands; an empty line goes around each "
        "heading, and each section stands once and in its order"
    )
