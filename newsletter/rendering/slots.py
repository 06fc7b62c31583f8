"""The slots: what differs between one reader's copy of an issue and the next."""

import html
import re
from collections.abc import Mapping
from enum import StrEnum

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

    @property
    def marker(self) -> str:
        """Return what stands in a rendering where the value will be."""
        return f"[[{self.value}]]"


#: A marker anywhere in a text; group 1 is the slot's name.
MARKER = re.compile(r"\[\[(" + "|".join(Slot) + r")\]\]")
# C0 and C1 controls, lone surrogates and the two last noncharacters: none can stand in XML 1.0 (2.2) or in UTF-8.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\r\n\u2028\u2029]+")


def strip_controls(text: str) -> str:
    """Return the text without the characters that no mail may hold, and with one kind of line break."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def value(text: str) -> str:
    """Return a reader's value as one line without control characters."""
    return strip_controls(_BREAKS.sub(" ", text))


def split(text: str) -> list[str]:
    """Return constant text and slot names in turn, beginning and ending with constant text."""
    return MARKER.split(text)


def fill_text(text: str, values: Mapping[Slot, str]) -> str:
    """Return a plain-text rendering as one reader gets it."""
    return MARKER.sub(lambda found: value(values[Slot(found[1])]), text)


def fill_html(text: str, values: Mapping[Slot, str]) -> str:
    """Return an HTML rendering as one reader gets it; values cannot bring markup."""
    return MARKER.sub(lambda found: html.escape(value(values[Slot(found[1])])), text)


def refuse_markers(text: str, where: str) -> None:
    """Refuse a text that would be taken for a reader's value; `where` is the place that the message names."""
    found = MARKER.search(text)
    if found:
        raise Refused(
            f"{where} holds {found[0]}, which would be replaced by a reader's own value; "
            "write it otherwise, with a space between the brackets for instance"
        )
