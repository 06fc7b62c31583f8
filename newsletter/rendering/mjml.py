"""From MJML to HTML, around what mjml-python cannot do itself: it neither validates nor always survives its input."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from lxml import etree
from mjml import mjml2html

from newsletter.errors import TemplateError
from newsletter.rendering import schema
from newsletter.rendering.slots import strip_controls

#: Where in a template a place of the rendered MJML comes from: offset -> `file:line`.
Place = Callable[[int], str]

_ATTRIBUTES = r'(?:\s+[\w:-]+="[^"]*")*\s*'
_BODY = re.compile(rf"(<body{_ATTRIBUTES}>)(<div{_ATTRIBUTES}>)")
#: What a template may be made of.
COMPONENTS = {
    "mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-style", "mj-title",
    "mj-raw", "mj-section", "mj-wrapper", "mj-group", "mj-column", "mj-text", "mj-button", "mj-divider", "mj-spacer",
    "mj-image", "mj-table", "mj-hero",
}  # fmt: skip
#: What MJML has and mrml 6 or a mail program gets wrong, with what to write for it.
UNUSABLE: dict[str, str] = {
    "mj-preview": "it hides white text, which spam filters count against the mail; write a hidden div in mj-raw",
    "mj-include": "it cannot include a whole file; write a Jinja include",
    "mj-html-attributes": "it is not known to the compiler; write css-class",
    "mj-font": "it fetches a font from elsewhere; name fonts that readers have",
    "mj-social": "it writes images without text and changes addresses; write plain links in mj-text",
    "mj-navbar": "mail programs do not run it; write plain links in mj-text",
    "mj-carousel": "mail programs do not run it; write mj-image",
    "mj-accordion": "mail programs do not run it; write mj-text",
}


def prepare(mjml: str) -> str:
    """Return the MJML in ASCII, other characters as their numbers: mrml panics on some of them and garbles others."""
    return strip_controls(mjml).encode("ascii", "xmlcharrefreplace").decode()


def to_html(mjml: str, place: Place) -> str:
    """Return the HTML of prepared MJML, or raise TemplateError with the template's file and line."""
    validate(mjml, place)
    try:
        html: str = mjml2html(mjml, fonts={})  # with its own fonts it would link to a font service
    except ValueError as error:
        raise _refused(mjml, str(error), place) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what pyo3 raises when Rust panics, and no Exception
            raise
        raise _refused(mjml, f"the MJML compiler broke down: {error}", place) from error
    return _landmark(html.replace("<!doctype html>", "<!DOCTYPE html>", 1))


def _landmark(html: str) -> str:
    """Return the page with its content in a main landmark, which people who listen to the mail can go to."""
    body = _BODY.search(html)
    assert body, "the compiler writes another body than it did"
    tongue = "".join(re.findall(r'\s(?:lang|dir)="[^"]*"', body[2]))
    end = html.rindex("</body>")
    return f'{html[: body.end(1)]}<div role="main"{tongue}>{html[body.end(1) : end]}</div>{html[end:]}'


def validate(mjml: str, place: Place) -> None:
    """Refuse MJML that is not well-formed, or has a component that is unknown or unfit for mail."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(mjml, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        where = place(_offset(mjml, line, column - 1))
        reason = re.sub(r", line \d+, column \d+$", "", str(error.msg))
        reason = re.sub(r"\bline (\d+)", lambda found: f"of {place(_offset(mjml, int(found[1])))}", reason)
        raise TemplateError(f"{where}: {reason}; mend the markup there") from error
    if root.tag != "mjml" or root.find("mj-body") is None:
        raise TemplateError(f"{place(0)}: the template must be one <mjml> with an <mj-body> in it; add what is missing")
    found = [
        (int(str(each.sourceline or 1)), problem) for each in root.iter(etree.Element) if (problem := _problem(each))
    ]
    found = found or list(schema.problems(root))
    if found:
        raise TemplateError("\n".join(f"{place(_offset(mjml, line))}: {problem}" for line, problem in found))


def _problem(element: Any) -> str:
    tag = str(element.tag)
    if not tag.startswith("mj") or tag in COMPONENTS:
        return ""
    if tag in UNUSABLE:
        return f"<{tag}> is of no use in this mail: {UNUSABLE[tag]}"
    near = get_close_matches(tag, COMPONENTS, n=1)
    return f"<{tag}> is no MJML component; " + (f"did you mean <{near[0]}>?" if near else "take it out")


def _offset(text: str, line: int, column: int = 0) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + max(column, 0)


def _refused(mjml: str, reason: str, place: Place) -> TemplateError:
    position = re.search(r"\s*at position (\d+):\d+", reason)
    if not position:
        return TemplateError(f"{place(0)}: {reason} (the compiler does not say where); look at what changed last in it")
    start = int(position[1])
    line = mjml.count("\n", 0, start) + 1
    shown = mjml.split("\n")[line - 1].strip()[:120]
    reason = reason.replace(position[0], "")
    return TemplateError(
        f"{place(start)}: {reason} in line {line} of what it renders, {shown!r}; mend the markup there"
    )
