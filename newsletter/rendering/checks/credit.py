"""Rules about attribution: every briefing, and every source of the issue, in both parts."""

from collections.abc import Iterator
from typing import Any

from newsletter.editorial import attribution
from newsletter.editorial.attribution import SourceNote
from newsletter.rendering import layout, proof, references
from newsletter.rendering.checks.rule import BLOCK, Fault, Rule
from newsletter.rendering.proof import Proof
from newsletter.rendering.wrapping import bare


def _attribution(sheet: Proof) -> Iterator[Fault]:
    paragraphs, told = iter(sheet.paragraphs), references.read(sheet.rendered.text).items()
    for item in sheet.content.items:
        briefing, note = f"briefing {item.document.id}", attribution.source_note(item.document)
        if note is None:
            yield "content", f"{briefing} names no source"
            continue
        block = sheet.item(item.document.id)
        if block is None or not _credited(note, block):
            yield "html", f"{briefing}: no element of the class item-{item.document.id} names and links its source"
        sentence = layout.one_line(note.sentence)
        # The iterator goes on where the item before ended: each item has a note of its own, in the order.
        marks = [note.original.url, *(f"[{number}]" for number, url in told if url == note.original.url)]
        credited = any(bare(sentence) in bare(each) and any(mark in each for mark in marks) for each in paragraphs)
        if not credited and sheet.rendered.text.strip():
            yield "text", f"{briefing}: no paragraph of its own says {sentence!r} with the source's address"
            paragraphs = iter(sheet.paragraphs)


def _credited(note: SourceNote, block: Any) -> bool:
    text = proof.said(block)
    names = [source.name for source in (note.original, *note.others)]
    return all(layout.one_line(name) in text for name in names) and proof.links_to(block, note.original.url)


def _credits(sheet: Proof) -> Iterator[Fault]:
    text = bare(sheet.rendered.text)
    for source in attribution.credits([item.document for item in sheet.content.items]):
        name = layout.one_line(source.name)
        if name not in sheet.shown or not proof.links_to(sheet.tree, source.url):
            yield "html", f"the source {name} is not named with a link to {source.url}"
        if text and (bare(name) not in text or source.url not in sheet.rendered.text):
            yield "text", f"the source {name} is not named with {source.url}"


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.attribution", BLOCK, _attribution, "a briefing that does not name and link its source, in either part",
         "every briefing says where its story came from",
         "write {{ item.note }} with a link to {{ item.original }} in both item templates; a briefing without a source "
         "needs one"),
    Rule("email.credits", BLOCK, _credits, "a source of the issue that is not named with a link, in either part",
         "every source of the issue is credited", "list {{ credits }} in both templates"),
)  # fmt: skip
