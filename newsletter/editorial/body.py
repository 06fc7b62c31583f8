"""The body of a briefing's file: a title, an introduction, and five sections in their order."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from newsletter.editorial.document import Document
from newsletter.editorial.frontmatter import Place

#: The longest title, in characters.
TITLE = 300
#: The headings of the sections in their order, with the field of the document each fills.
SECTIONS = {
    "Key points": "key_points",
    "What happened": "what_happened",
    "Why it matters": "why_it_matters",
    "Buyer relevance": "buyer_relevance",
    "What to watch next": "what_to_watch_next",
}

# CommonMark 4.2 and 4.3: a heading may be indented by three spaces, or be underlined.
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)$")
_Lines = list[tuple[int, str]]


@dataclass
class _Parts:
    """What has been read so far: lines by the part that they belong to."""

    title: str = ""
    titled: bool = False
    lines: dict[str, _Lines] = field(default_factory=lambda: {"introduction": []})

    @property
    def current(self) -> str:
        return list(self.lines)[-1]


def read(lines: Iterable[str], place: Place) -> dict[str, Any]:
    """Return the document's fields that the body fills; BadInput for headings unknown, repeated or out of order."""
    parts = _Parts()
    above = ""
    for number, line in enumerate(lines, start=place.first):
        heading = _HEADING.match(line)
        if heading and len(heading[1]) == 1:
            _title(parts, number, heading[2] or "", place)
        elif heading:
            _section(parts, number, line.strip(), place)
        else:
            if above and _UNDERLINE.match(line) and parts.current != "Key points":
                raise place.bad(number, "the line under a text makes it a heading", "put an empty line between them")
            parts.lines[parts.current].append((number, line))
        above = "" if heading else line
    found: dict[str, Any] = {"title": parts.title, "introduction": _words(parts.lines["introduction"])}
    for name, key in SECTIONS.items():
        section = parts.lines.get(name, [])
        found[key] = points(section, place) if key == "key_points" else _words(section)
    return found


def _title(parts: _Parts, number: int, title: str, place: Place) -> None:
    if parts.titled:
        raise place.bad(number, "there is a second title", "a briefing has one line that begins with '# '")
    if parts.current != "introduction" or any(line for _, line in parts.lines["introduction"]):
        raise place.bad(number, "the title stands below other text", "move it up, directly under the front matter")
    parts.title, parts.titled = title.strip(" \t"), True
    if len(parts.title) > TITLE or "\t" in parts.title:
        raise place.bad(number, f"the title has a tab or more than {TITLE} characters", "shorten it")


def _section(parts: _Parts, number: int, heading: str, place: Place) -> None:
    name = heading.removeprefix("## ")
    if name not in SECTIONS:
        near = get_close_matches(name.strip("# "), SECTIONS, n=1)
        hint = f"did you mean '## {near[0]}'?" if near else f"the sections are {', '.join(SECTIONS)}"
        raise place.bad(number, f"there is no section {heading!r}", hint)
    if name in parts.lines:
        raise place.bad(number, f"the section {name!r} stands twice", "make one of them")
    order = list(SECTIONS)
    if parts.current in order and order.index(parts.current) > order.index(name):
        raise place.bad(number, f"the section {name!r} stands below {parts.current!r}", "move it up")
    parts.lines[name] = []


def points(lines: _Lines, place: Place) -> tuple[str, ...]:
    """Return the items of a `- ` list; an indented line goes on with the item above it."""
    found: list[str] = []
    for number, line in lines:
        if line.startswith("- ") and line[2:].strip():
            found.append(line[2:].strip(" \t"))
        elif line.startswith((" ", "\t")) and found:
            found[-1] += " " + line.strip(" \t")
        elif line:
            raise place.bad(number, f"{line[:40]!r} is no key point", "begin each with '- ', words on the same line")
    return tuple(found)


def _words(lines: _Lines) -> str:
    return "\n".join(line for _, line in lines).strip(" \t\n")


def parts(document: Document) -> dict[str, str]:
    """Return the texts of a document under the names by which its file calls them."""
    sections = {name: getattr(document, key) for name, key in SECTIONS.items() if name != "Key points"}
    points = {f"Key points {number}": point for number, point in enumerate(document.key_points, start=1)}
    return {"title": document.title, "introduction": document.introduction, **points, **sections}


def write(parts: dict[str, Any]) -> str:
    """Return the body with every heading, so that an empty section invites its words."""
    blocks = [f"# {parts['title']}".rstrip(), parts["introduction"]]
    for name, key in SECTIONS.items():
        words = "\n".join(f"- {point}" for point in parts[key]) if key == "key_points" else parts[key]
        blocks += [f"## {name}", words]
    return "\n\n".join(block for block in blocks if block) + "\n"
