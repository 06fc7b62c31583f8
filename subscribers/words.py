"""What people type: the names of lists and segments, and texts that end in a mail or on a page."""

import difflib
import re
import unicodedata
from collections.abc import Collection

from subscribers.errors import BadValue, NotFound

#: A name stands in commands, and a list's name in its List-Id, where it is one label of a domain (RFC 2919 section 2).
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: Control characters, lone surrogates, and the separators that some mail programs take for a line break.
_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}


def name(kind: str, text: str) -> str:
    """Return the name, or refuse what cannot name a list or a segment."""
    if not _NAME.fullmatch(text):
        raise BadValue(text, f"a {kind}'s name is 1 to 63 of a-z, 0-9 and inner hyphens, such as weekly-brief")
    return text


def line(kind: str, text: str, limit: int) -> str:
    """Return the text without surrounding blanks, or refuse what is too long or could break a header."""
    text = text.strip(" \t")
    if len(text) <= limit and text.isprintable():
        return text
    for place, character in enumerate(text, 1):
        if unicodedata.category(character) in _UNSAFE:
            raise BadValue(text, f"{kind} holds a line break or control character at place {place}; take it out")
    if len(text) > limit:
        raise BadValue(text, f"{kind} is {len(text)} characters long; at most {limit} are kept")
    return text


def printable(text: str, limit: int) -> str:
    """Return what a database can keep of a text that came with a request."""
    return "".join(character for character in text if character.isprintable())[:limit]


def near(text: str, known: Collection[str]) -> str:
    """Return the end of a sentence that names what the text was probably meant to be; empty when nothing is near."""
    found = difflib.get_close_matches(text, known, n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def missing(kind: str, text: str, known: Collection[str]) -> NotFound:
    """Return the error that says there is no such list, segment or topic, and which one was probably meant."""
    return NotFound(f"there is no {kind} {text[:100]!r}{near(text, known)} (all of them: newsletter {kind}s list)")
