"""Rules about how the HTML is built."""

import re
from collections.abc import Iterator
from itertools import pairwise

from newsletter.rendering.checks.rule import BLOCK, TEMPLATE, WARN, Fault, Rule
from newsletter.rendering.proof import Proof


def _doctype(sheet: Proof) -> Iterator[Fault]:
    if not sheet.rendered.html.lstrip()[:15].upper().startswith("<!DOCTYPE HTML>"):
        yield "html", "the HTML does not begin with <!DOCTYPE html>"


def _leftover(sheet: Proof) -> Iterator[Fault]:
    for where, text in (("html", sheet.rendered.html), ("text", sheet.rendered.text)):
        found = re.search(r"(\{\{|\{%|</?mj-).{0,40}", text)
        if found:
            yield where, f"a template's own mark is left in it: {found[0]!r}"


def _leak(sheet: Proof) -> Iterator[Fault]:
    found = re.search(r"\\u\{[0-9a-f]+\}", sheet.rendered.html)
    if found:
        around = sheet.rendered.html[max(found.start() - 30, 0) : found.end()]
        yield "html", f"a character became an escape of the MJML compiler: {around!r}"


def _external(sheet: Proof) -> Iterator[Fault]:
    for element in sheet.all("script", "form", "iframe", "object", "embed"):
        yield sheet.line(element), f"<{element.tag}> in the mail"
    for link in sheet.all("link"):
        yield "html", f"a <link> to {link.get('href')}"
    for css in sheet.sheets:
        if "@import" in css.lower():
            yield "html", "@import in a style sheet"


def _language(sheet: Proof) -> Iterator[Fault]:
    body = sheet.tree.find("body")
    child = next((each for each in body.iterchildren() if each.get("lang")), None) if body is not None else None
    for name, element in (("<html>", sheet.tree), ("a child of <body>", child)):
        missing = [key for key in ("lang", "dir") if element is None or not element.get(key)]
        if missing:
            yield "html", f"{name} has no {' and no '.join(missing)}"


def _title(sheet: Proof) -> Iterator[Fault]:
    if not (sheet.tree.findtext("head/title") or "").strip():
        yield "html", "the page has no <title>"


def _table_role(sheet: Proof) -> Iterator[Fault]:
    bare = [table for table in sheet.all("table") if not table.get("role") and table.find(".//th") is None]
    if bare:
        yield sheet.line(bare[0]), f"{len(bare)} layout table(s) without a role"


def _heading(sheet: Proof) -> Iterator[Fault]:
    headings = list(sheet.all("h1", "h2", "h3", "h4", "h5", "h6"))
    if headings and headings[0].tag != "h1":
        yield sheet.line(headings[0]), f"the first heading is an {headings[0].tag}"
    for before, after in pairwise(headings):
        if int(after.tag[1]) - int(before.tag[1]) > 1:
            yield sheet.line(after), f"an {after.tag} follows an {before.tag}: {after.text_content().strip()[:60]!r}"


def _scheme(sheet: Proof) -> Iterator[Fault]:
    if not any(meta.get("name") == "color-scheme" and meta.get("content") for meta in sheet.all("meta")):
        yield "html", 'there is no <meta name="color-scheme">'


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.doctype", BLOCK, _doctype, "a page without <!DOCTYPE html>",
         "without it browsers and mail programs lay out in quirks mode", TEMPLATE),
    Rule("email.leftover", BLOCK, _leftover, "template code in what readers get",
         "readers would see the template's code", TEMPLATE),
    Rule("email.escape", BLOCK, _leak, "an escape of the MJML compiler in place of a character",
         "readers would see the code of a character in place of it",
         "write {{ value | attr }} in the template's attribute"),
    Rule("email.external", BLOCK, _external, "scripts, forms, frames, and sheets from elsewhere",
         "mail programs remove it, and filters distrust it", "take it out of the template"),
    Rule("email.language", BLOCK, _language, "a page, or its body's first element, without lang and dir",
         "a screen reader takes it for another tongue; mail programs drop <html>",
         "write lang and dir on <mjml>, and set language in [publication]"),
    Rule("email.title", BLOCK, _title, "a page without a title", "a screen reader announces the mail by it",
         "write <mj-title> in the template"),
    Rule("email.table_role", BLOCK, _table_role, "a layout table without a role",
         "a screen reader reads it out as a table of data", 'write role="presentation" on it'),
    Rule("email.heading", WARN, _heading, "a heading level that is skipped",
         "who listens to mail goes from heading to heading, and looks for what was skipped",
         "number the headings step by step, in the text or in the template"),
    Rule("email.scheme", WARN, _scheme, "a page that does not say that it knows dark mode",
         "without it Apple Mail and Outlook invert colours as they please",
         'write <meta name="color-scheme" content="light dark"> into the head'),
)  # fmt: skip
