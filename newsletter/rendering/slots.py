"""The slots: what differs between one reader's copy of an issue and the next, as marks in a rendering.

A mark is `[[email]]` and the like; `[[own:0]]` for what the first expression says, `[[url:0]]` for the same inside an
address; and `[[if:0]]` to `[[fi:0]]` around a part that stands there where the first condition holds. In HTML those
two are comments, which nobody sees.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from urllib.parse import quote

from newsletter.errors import Refused


class Slot(StrEnum):
    """A value of the reader's own, written into a rendering at the marker `[[name]]`."""

    #: the address that the copy goes to
    EMAIL = "email"
    #: the list that brings it, in words
    LIST_TITLE = "list_title"
    #: where the reader leaves that list
    UNSUBSCRIBE_URL = "unsubscribe_url"
    #: where the reader chooses topics and lists
    PREFERENCES_URL = "preferences_url"
    #: where a link leads first whose clicks are counted, less its number; no rendering is frozen with it
    CLICK_URL = "click_url"

    __hash__ = str.__hash__  # the one of enumerations is no part of C, and each copy looks up its values by slot

    @property
    def marker(self) -> str:
        """Return what stands in a rendering where the value will be."""
        return f"[[{self.value}]]"


@dataclass(frozen=True, slots=True)
class Piece:
    """Constant words, or with `hole` the name of the value that stands there; `under` are the conditions around it."""

    words: str
    hole: bool
    under: tuple[int, ...]


_NAMES = "|".join(Slot)
#: A marker anywhere in a text; group 1 is the slot's name.
MARKER = re.compile(rf"\[\[({_NAMES})\]\]")
#: Anything that reads as a mark; group 1 is what stands in it.
MARK = re.compile(rf"\[\[({_NAMES}|(?:own|url|if|fi):\d+)\]\]")
_ANY = re.compile(rf"<!--\[\[((?:if|fi):\d+)\]\]-->|\[\[({_NAMES}|(?:own|url|if|fi):\d+)\]\]")
# C0 and C1 controls, lone surrogates and the two last noncharacters: none can stand in XML 1.0 (2.2) or in UTF-8.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\r\n\u2028\u2029]+")


def strip_controls(text: str) -> str:
    """Return the text without the characters that no mail may hold, and with one kind of line break."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def value(text: str) -> str:
    """Return a reader's value as one line without control characters."""
    if text.isascii() and text.isprintable():
        return text
    return strip_controls(_BREAKS.sub(" ", text))


def pieces(text: str) -> list[Piece]:
    """Return the constant words and the values of a rendering in turn, each with the conditions it stands under."""
    found: list[Piece] = []
    under: list[int] = []
    start = 0
    for mark in _ANY.finditer(text):
        if mark.start() > start:
            found.append(Piece(text[start : mark.start()], False, tuple(under)))
        start = mark.end()
        name = mark[1] or mark[2]
        kind, _, number = name.partition(":")
        if kind == "if":
            under.append(int(number))
        elif kind == "fi":
            assert under.pop() == int(number)
        else:
            found.append(Piece(name, True, tuple(under)))
    if start < len(text):
        found.append(Piece(text[start:], False, ()))
    return found


def names(values: Mapping[Slot, str], own: Sequence[str]) -> dict[str, str]:
    """Return a copy's values by the names of its marks."""
    made = {slot.value: value(text) for slot, text in values.items()}
    for number, text in enumerate(own):
        made[f"own:{number}"] = text
        made[f"url:{number}"] = quote(text, safe="")
    return made


def fill(text: str, shown: Mapping[str, str], holds: Sequence[bool], encode: Callable[[str], str] = str) -> str:
    """Return a rendering as one reader gets it."""
    return "".join(
        encode(shown[piece.words]) if piece.hole else piece.words
        for piece in pieces(text)
        if all(holds[condition] for condition in piece.under)
    )


def fill_text(text: str, values: Mapping[Slot, str]) -> str:
    """Return a plain-text rendering with the values of the slots in place."""
    return MARKER.sub(lambda found: value(values[Slot(found[1])]), text)


def fill_html(text: str, values: Mapping[Slot, str]) -> str:
    """Return an HTML rendering with the values of the slots in place; they cannot bring markup."""
    return MARKER.sub(lambda found: escape(value(values[Slot(found[1])])), text)


def refuse_markers(text: str, where: str) -> None:
    """Refuse a text that would be taken for a reader's value; `where` is the place that the message names."""
    found = MARK.search(text)
    if found:
        raise Refused(
            f"{where} holds {found[0]}, which would be replaced by a reader's own value; "
            "write it otherwise, with a space between the brackets for instance"
        )
