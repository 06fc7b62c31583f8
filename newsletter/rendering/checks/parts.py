"""Rules about what every issue must hold in both of its parts: the ways out, the sender, the stories."""

import re
from collections.abc import Iterator

from newsletter.rendering import layout
from newsletter.rendering.checks.rule import BLOCK, Fault, Rule
from newsletter.rendering.proof import Proof
from newsletter.rendering.rendered import story
from newsletter.rendering.slots import Slot
from newsletter.rendering.wrapping import bare


def _text(sheet: Proof) -> Iterator[Fault]:
    if not sheet.rendered.text.strip():
        yield "text", "the plain text is empty"


def _unsubscribe(sheet: Proof) -> Iterator[Fault]:
    yield from _slot_linked(sheet, Slot.UNSUBSCRIBE_URL)


def _preferences(sheet: Proof) -> Iterator[Fault]:
    yield from _slot_linked(sheet, Slot.PREFERENCES_URL)


def _slot_linked(sheet: Proof, slot: Slot) -> Iterator[Fault]:
    if not any(link.get("href") == slot.marker for link in sheet.all("a")):
        yield "html", f"no link to {slot.marker}"
    if slot.marker not in sheet.rendered.text and sheet.rendered.text.strip():
        yield "text", f"{slot.marker} does not stand in it"


def _postal(sheet: Proof) -> Iterator[Fault]:
    address = layout.one_line(sheet.settings.publication.postal_address)
    if not address:
        yield "settings", "postal_address in [publication] is empty"
        return
    for where, text in (("html", sheet.shown), ("text", layout.one_line(sheet.rendered.text))):
        if text and bare(address) not in bare(text):
            yield where, "the postal address does not stand in it"


def _story(sheet: Proof) -> Iterator[Fault]:
    for item in sheet.content.items:
        url = story(sheet.settings, item.document.id)
        pages = rf"{re.escape(sheet.settings.publication.url)}/(?:briefings|i/[\w-]+)/{re.escape(item.document.id)}"
        if sheet.rendered.text.strip() and not re.search(rf"{pages}(?![\w/-])", sheet.rendered.text):
            yield "text", f"briefing {item.document.id}: the address of its page, {url}, does not stand in it"


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.text", BLOCK, _text, "an issue without a plain text",
         "who reads mail as text gets nothing, and filters distrust HTML alone", "write issue.txt.j2 in the theme"),
    Rule("email.unsubscribe", BLOCK, _unsubscribe, "no unsubscribe link in the HTML or the text",
         "a reader must be able to leave from either form of the mail",
         "write {{ slots.unsubscribe_url }} in both templates"),
    Rule("email.preferences", BLOCK, _preferences, "no link to the preferences in the HTML or the text",
         "a reader must be able to choose from either form of the mail",
         "write {{ slots.preferences_url }} in both templates"),
    Rule("email.postal", BLOCK, _postal, "no postal address in the HTML or the text",
         "the law asks for it in commercial mail (CAN-SPAM)",
         "set postal_address in [publication], and write {{ publication.postal_address }} in both templates"),
    Rule("email.story", BLOCK, _story, "a briefing whose page the text does not name",
         "readers of the plain text could not go on reading", "write {{ item.url }} in issue.txt.j2"),
)  # fmt: skip
