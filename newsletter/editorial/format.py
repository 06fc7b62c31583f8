"""The format `briefing/1`: a Markdown file with strict front matter, read into a document and written from one."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from newsletter.editorial import body, frontmatter, text
from newsletter.editorial.document import Assistance, Citation, Document, Label, Role
from newsletter.editorial.frontmatter import Field, Place
from newsletter.editorial.names import BRIEFING, HANDLE, LANGUAGE, TOPIC
from newsletter.errors import BadInput

#: What the first line of the front matter says.
FORMAT = "briefing/1"
#: The largest file, in bytes.
LARGEST = 200_000
_FENCE = "---"
_PLAIN = re.compile(r"\w(?:[^#:\t]|:(?=[^ ])|(?<=[^ ])#)*")
_BODY = ("title", "introduction", *body.SECTIONS.values())

_SOURCE: dict[str, Callable[[Field], Any]] = {
    "name": lambda field: field.text(limit=200),
    "url": lambda field: field.text(limit=2000),
    "title": Field.text,
    "published": Field.moment,
    "retrieved": Field.moment,
    "role": lambda field: field.one_of(Role),
}


def _sources(field: Field) -> tuple[Citation, ...]:
    known = {name: name == "name" for name in _SOURCE}
    return tuple(
        Citation(**{"url": "", **{name: _SOURCE[name](value) for name, value in table.items()}})
        for table in field.tables(known=known)
    )  # fmt: skip


_META: dict[str, Callable[[Field], Any]] = {
    "id": lambda field: field.word(BRIEFING),
    "language": lambda field: field.word(LANGUAGE),
    "desk": lambda field: field.text(limit=200),
    "label": lambda field: field.one_of(Label),
    "topics": lambda field: field.words(TOPIC),
    "audience": lambda field: field.words(TOPIC),
    "author": lambda field: field.word(HANDLE, empty=True),
    "assistance": lambda field: field.one_of(Assistance),
    "assistance_note": Field.text,
    "embargo": lambda field: field.moment(day=False),
    "expires": Field.moment,
    "sources": _sources,
    "related_pin": lambda field: field.words(BRIEFING),
    "related_exclude": lambda field: field.words(BRIEFING),
}
# A text must say itself what it is, and what a machine had to do with it.
_NEEDED = ("format", "id", "label", "assistance")
_KNOWN = {name: name in _NEEDED for name in ("format", *_META)}


def parse(source: str, *, where: str) -> Document:
    """Return the document that a file's text holds; BadInput says `where:LINE: reason; next step`."""
    lines = _lines(source, where)
    if lines[0] != _FENCE:
        raise Place(where).bad(1, "the file does not begin with front matter", f"make {_FENCE} its first line")
    if _FENCE not in lines[1:]:
        raise Place(where).bad(1, "the front matter is not closed", f"put a line of {_FENCE} below its last key")
    end = lines.index(_FENCE, 1)
    front = frontmatter.load("\n".join(lines[1:end]) + "\n", Place(where, 2), known=_KNOWN)
    if front["format"].text() != FORMAT:
        raise front["format"].bad(f"is {front['format'].text()!r}", f"this program reads {FORMAT}")
    meta = {name: read(front[name]) for name, read in _META.items() if name in front}
    return Document(**meta, **body.read(lines[end + 1 :], Place(where, end + 2)))


def decode(data: bytes, *, where: str) -> str:
    """Return a file's bytes as text; BadInput when it is too large or not UTF-8."""
    if len(data) > LARGEST:
        raise BadInput(f"{where}:1: the file has {len(data)} bytes and may have {LARGEST}; shorten it")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{where}:{line}: the file is not UTF-8 ({error.reason}); save it as UTF-8") from error


def _lines(source: str, where: str) -> list[str]:
    if len(source) > LARGEST:
        raise BadInput(f"{where}:1: the file has more than {LARGEST} characters; shorten it")
    clean = text.normal(source.removeprefix("\ufeff"))
    found = text.refused(clean)
    if found:
        line, point = found
        raise BadInput(f"{where}:{line}: the character {point} cannot stand in a briefing; take it out")
    return clean.split("\n")


def dump(document: Document) -> str:
    """Return the file's text for a document; `parse` makes an equal document of it."""
    document = _normal(document)
    lines = [_FENCE, f"format: {FORMAT}"]
    for name in _META:
        value = getattr(document, name)
        if name == "sources" and value:
            lines += ["sources:", *(line for source in value for line in _source(source))]
        elif value or name in _NEEDED:
            lines.append(f"{name}: {_written(value)}")
    return "\n".join([*lines, _FENCE, "", body.write({name: getattr(document, name) for name in _BODY})])


def _source(source: Citation) -> list[str]:
    written = [f"{name}: {_written(value)}" for name in _SOURCE if (value := getattr(source, name)) or name == "name"]
    return [("    " if number else "  - ") + line for number, line in enumerate(written)]


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    if _PLAIN.fullmatch(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a double-quoted YAML scalar


def canonical(document: Document) -> bytes:
    """Return the bytes that stand for a document's words: the same for every spelling of the same file."""
    clean = _normal(document)
    meta = {field.name: _plain(getattr(clean, field.name)) for field in fields(clean) if field.name not in _BODY}
    words = {"v": FORMAT, "meta": meta, "body": {name: getattr(clean, name) for name in _BODY}}
    return json.dumps(words, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def sha256(document: Document) -> str:
    """Return the hash of the canonical form, which an approval names."""
    return hashlib.sha256(canonical(document)).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value of the front matter as JSON has it; times keep their offset, which pages may show."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Citation):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _normal(document: Document) -> Document:
    """Return the document with every text in the one spelling that `parse` gives it."""
    sources = tuple(replace(source, **_spelled(source)) for source in document.sources)
    return replace(document, **{**_spelled(document), "sources": sources})


def _spelled(value: Document | Citation) -> dict[str, Any]:
    found = {field.name: getattr(value, field.name) for field in fields(value)}
    return {
        name: tuple(_trim(each) for each in part) if name == "key_points" else _trim(part)
        for name, part in found.items()
        if name == "key_points" or type(part) is str
    }


def _trim(words: str) -> str:
    return text.normal(words).strip(" \t\n")
