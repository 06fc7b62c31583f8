"""The email checks: what a rendering must be before it goes to anybody. Rules are data; each yields what is wrong."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from newsletter.editorial import attribution
from newsletter.editorial.attribution import SourceNote
from newsletter.editorial.gate import Finding, Severity
from newsletter.issues.content import IssueContent
from newsletter.rendering import layout, proof
from newsletter.rendering.proof import Proof
from newsletter.rendering.rendered import Rendered, story
from newsletter.rendering.slots import Slot
from newsletter.settings import Settings

CLIPPED = 102_000  # Gmail shows about this many bytes of HTML and cuts the rest off (measured between 100 and 105 KB)
NEAR_CLIPPED = 90_000
STYLE = 16_000  # Gmail drops style sheets that come to more than 16 KB
SUBJECT = 50  # phones show about 48 characters

#: Yields (where, what is wrong).
Find = Callable[[Proof], Iterator[tuple[str, str]]]


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks for, why it is one, and what to do when it finds something."""

    id: str
    severity: Severity
    find: Find
    why: str
    next: str


def check(content: IssueContent, rendered: Rendered, settings: Settings) -> list[Finding]:
    """Return what is wrong with a rendering, in the order of the rules."""
    sheet = Proof(content, rendered, settings)
    return [
        Finding(rule=rule.id, severity=rule.severity, where=where, message=message, next=rule.next)
        for rule in RULES
        for where, message in rule.find(sheet)
    ]


def blocks(finding: Finding) -> bool:
    """Return whether the finding keeps the issue from being frozen."""
    return finding.severity is Severity.BLOCK


def _doctype(sheet: Proof) -> Iterator[tuple[str, str]]:
    if not sheet.rendered.html.lstrip()[:15].upper().startswith("<!DOCTYPE HTML>"):
        yield "html", "the HTML does not begin with <!DOCTYPE html>"


def _leftover(sheet: Proof) -> Iterator[tuple[str, str]]:
    for where, text in (("html", sheet.rendered.html), ("text", sheet.rendered.text)):
        found = re.search(r"(\{\{|\{%|</?mj-).{0,40}", text)
        if found:
            yield where, f"a template's own mark is left in it: {found[0]!r}"


def _leak(sheet: Proof) -> Iterator[tuple[str, str]]:
    found = re.search(r".{0,30}\\u\{[0-9a-f]+\}", sheet.rendered.html)
    if found:
        yield "html", f"a character became an escape of the MJML compiler: {found[0]!r}"


def _clipped(sheet: Proof) -> Iterator[tuple[str, str]]:
    size = len(sheet.rendered.html.encode())
    if size > CLIPPED:
        yield "html", f"{size:,} bytes of HTML, more than {CLIPPED:,}"


def _near_clipped(sheet: Proof) -> Iterator[tuple[str, str]]:
    size = len(sheet.rendered.html.encode())
    if NEAR_CLIPPED < size <= CLIPPED:
        yield "html", f"{size:,} bytes of HTML, near the {CLIPPED:,} at which mail is cut off"


def _style_size(sheet: Proof) -> Iterator[tuple[str, str]]:
    size = sum(len((each.text or "").encode()) for each in sheet.all("style"))
    if size > STYLE:
        yield "html", f"{size:,} bytes of style sheets, more than {STYLE:,}"


def _style_nesting(sheet: Proof) -> Iterator[tuple[str, str]]:
    for css in sheet.sheets:
        if proof.nested(css):
            yield "html", f"{proof.nested(css)} stands inside another rule of a style sheet"


def _external(sheet: Proof) -> Iterator[tuple[str, str]]:
    for element in sheet.all("script", "form", "iframe", "object", "embed"):
        yield "html", f"<{element.tag}> in the mail"
    for link in sheet.all("link"):
        yield "html", f"a <link> to {link.get('href')}"
    for css in sheet.sheets:
        if "@import" in css.lower():
            yield "html", "@import in a style sheet"


def _alt(sheet: Proof) -> Iterator[tuple[str, str]]:
    for image in sheet.all("img"):
        if image.get("alt") is None:
            yield "html", f"the image {image.get('src')} has no alt"


def _link(sheet: Proof) -> Iterator[tuple[str, str]]:
    for link in sheet.all("a"):
        href, text = (link.get("href") or "").strip(), proof.words(link)
        if not text:
            yield "html", f"the link to {href or 'nowhere'} has no text"
        if not re.match(r"https?://[^/]|mailto:.|\[\[\w+_url\]\]$", href, re.IGNORECASE):
            yield "html", f"the link {text!r} leads to {href!r}, which is no address that mail can open"


def _language(sheet: Proof) -> Iterator[tuple[str, str]]:
    body = sheet.tree.find("body")
    child = next((each for each in body.iterchildren() if each.get("lang")), None) if body is not None else None
    for name, element in (("<html>", sheet.tree), ("a child of <body>", child)):
        missing = [key for key in ("lang", "dir") if element is None or not element.get(key)]
        if missing:
            yield "html", f"{name} has no {' and no '.join(missing)}"


def _title(sheet: Proof) -> Iterator[tuple[str, str]]:
    if not (sheet.tree.findtext("head/title") or "").strip():
        yield "html", "the page has no <title>"


def _table_role(sheet: Proof) -> Iterator[tuple[str, str]]:
    bare = [table for table in sheet.all("table") if not table.get("role") and table.find(".//th") is None]
    if bare:
        yield "html", f"{len(bare)} layout table(s) without a role"


def _unsubscribe(sheet: Proof) -> Iterator[tuple[str, str]]:
    yield from _slot_linked(sheet, Slot.UNSUBSCRIBE_URL)


def _preferences(sheet: Proof) -> Iterator[tuple[str, str]]:
    yield from _slot_linked(sheet, Slot.PREFERENCES_URL)


def _slot_linked(sheet: Proof, slot: Slot) -> Iterator[tuple[str, str]]:
    if not any(link.get("href") == slot.marker for link in sheet.all("a")):
        yield "html", f"no link to {slot.marker}"
    if slot.marker not in sheet.rendered.text:
        yield "text", f"{slot.marker} does not stand in it"


def _postal(sheet: Proof) -> Iterator[tuple[str, str]]:
    address = layout.one_line(sheet.settings.publication.postal_address)
    if not address:
        yield "settings", "postal_address in [publication] is empty"
        return
    for where, text in (("html", sheet.shown), ("text", layout.one_line(sheet.rendered.text))):
        if address not in text:
            yield where, "the postal address does not stand in it"


def _story(sheet: Proof) -> Iterator[tuple[str, str]]:
    for item in sheet.content.items:
        url = story(sheet.settings, item.document.id)
        if not re.search(re.escape(url) + r"(?![\w/-])", sheet.rendered.text):
            yield "text", f"briefing {item.document.id}: the address of its page, {url}, does not stand in it"


def _attribution(sheet: Proof) -> Iterator[tuple[str, str]]:
    paragraphs = iter(sheet.paragraphs)
    for item in sheet.content.items:
        briefing, note = f"briefing {item.document.id}", attribution.source_note(item.document)
        if note is None:
            yield "content", f"{briefing} names no source"
            continue
        block = sheet.item(item.document.id)
        if block is None or not _credited(note, block):
            yield "html", f"{briefing}: no element of the class item-{item.document.id} names and links its source"
        sentence = layout.one_line(note.sentence)
        # The iterator goes on where the item before ended: each item has a note of its own, in the issue's order.
        if not any(sentence in each and note.original.url in each for each in paragraphs):
            yield "text", f"{briefing}: no paragraph of its own says {sentence!r} with the source's address"
            paragraphs = iter(sheet.paragraphs)


def _credited(note: SourceNote, block: Any) -> bool:
    text = proof.said(block)
    names = [source.name for source in (note.original, *note.others)]
    return all(layout.one_line(name) in text for name in names) and proof.links_to(block, note.original.url)


def _credits(sheet: Proof) -> Iterator[tuple[str, str]]:
    text = layout.one_line(sheet.rendered.text)
    for source in attribution.credits([item.document for item in sheet.content.items]):
        name = layout.one_line(source.name)
        if name not in sheet.shown or not proof.links_to(sheet.tree, source.url):
            yield "html", f"the source {name} is not named with a link to {source.url}"
        if name not in text or source.url not in text:
            yield "text", f"the source {name} is not named with {source.url}"


def _subject(sheet: Proof) -> Iterator[tuple[str, str]]:
    if not sheet.content.subject.strip():
        yield "subject", "the subject is empty"
    for subject in {sheet.content.subject, sheet.rendered.subject}:
        if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", subject):
            yield "subject", f"the subject holds a control character: {subject!r}"
            return


def _long_subject(sheet: Proof) -> Iterator[tuple[str, str]]:
    if len(sheet.rendered.subject) > SUBJECT:
        yield "subject", f"the subject has {len(sheet.rendered.subject)} characters, and phones show about {SUBJECT}"


def _preheader(sheet: Proof) -> Iterator[tuple[str, str]]:
    if not sheet.rendered.preheader.strip():
        yield "preheader", "the preheader is empty"


_BLOCK, _WARN = Severity.BLOCK, Severity.WARN
_TEMPLATE = "mend the theme's template, then freeze again"
_TEXT = "correct the text, have it approved again, then compose again"

RULES = (
    Rule("email.doctype", _BLOCK, _doctype, "without it browsers and mail programs lay out in quirks mode", _TEMPLATE),
    Rule("email.leftover", _BLOCK, _leftover, "readers would see the template's code", _TEMPLATE),
    Rule("email.escape", _BLOCK, _leak, "readers would see the code of a character in place of it",
         "write {{ value | attr }} in the template's attribute"),
    Rule("email.clipped", _BLOCK, _clipped, "Gmail cuts the mail off, and the unsubscribe link with it",
         "take items out of the issue"),
    Rule("email.near_clipped", _WARN, _near_clipped, "Gmail cuts longer mail off", "take an item out of the issue"),
    Rule("email.style_size", _BLOCK, _style_size, "Gmail drops style sheets past 16 KB", "shorten the theme's sheets"),
    Rule("email.style_nesting", _BLOCK, _style_nesting, "Gmail drops the whole sheet",
         "write the inner rule into a <style> of its own"),
    Rule("email.external", _BLOCK, _external, "mail programs remove it, and filters distrust it",
         "take it out of the template"),
    Rule("email.alt", _BLOCK, _alt, "readers who see no images get nothing in its place",
         'give the image an alt; alt="" when it only adorns'),
    Rule("email.link", _BLOCK, _link, "a dead link is a broken promise to the reader",
         "give the link words and an https address, in the text (have it approved again) or in the template"),
    Rule("email.language", _BLOCK, _language, "a screen reader takes it for another tongue; mail programs drop <html>",
         'write lang and dir on <mjml>, and set language in [publication]'),
    Rule("email.title", _BLOCK, _title, "a screen reader announces the mail by it", "write <mj-title> in the template"),
    Rule("email.table_role", _BLOCK, _table_role, "a screen reader reads it out as a table of data",
         'write role="presentation" on it'),
    Rule("email.unsubscribe", _BLOCK, _unsubscribe, "a reader must be able to leave from either form of the mail",
         "write {{ slots.unsubscribe_url }} in both templates"),
    Rule("email.preferences", _BLOCK, _preferences, "a reader must be able to choose from either form of the mail",
         "write {{ slots.preferences_url }} in both templates"),
    Rule("email.postal", _BLOCK, _postal, "the law asks for it in commercial mail (CAN-SPAM)",
         "set postal_address in [publication], and write {{ publication.postal_address }} in both templates"),
    Rule("email.story", _BLOCK, _story, "readers of the plain text could not go on reading",
         "write {{ item.url }} in issue.txt.j2"),
    Rule("email.attribution", _BLOCK, _attribution, "every briefing says where its story came from",
         "write {{ item.note }} with a link to {{ item.original }} in both item templates; a briefing without a source "
         "needs one"),
    Rule("email.credits", _BLOCK, _credits, "every source of the issue is credited",
         "list {{ credits }} in both templates"),
    Rule("email.subject", _BLOCK, _subject, "mail without a subject stays unread; a line break starts another header",
         "compose with --subject"),
    Rule("email.subject_long", _WARN, _long_subject, "the end of it is cut off", "compose with a shorter --subject"),
    Rule("email.preheader", _WARN, _preheader, "inboxes then show whatever the mail begins with",
         "compose with --preheader"),
)  # fmt: skip
