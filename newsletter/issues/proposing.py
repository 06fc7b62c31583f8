"""Proposing an issue's own words from its lead: the two lines that an inbox shows before anybody opens it."""

import re
import unicodedata

from newsletter.editorial import text
from newsletter.editorial.document import Document

#: The longest subject and preheader that phones show whole, in columns; below the third inboxes fill the line up.
SUBJECT, PREHEADER, SHORT = 50, 99, 40
#: Where a headline can end before its end: at what sets a second half off.
_BREAK = re.compile(r"(?<=\w)(?:[:;]| [-–—]) ")


def subject(lead: Document) -> str:
    """Return the lead's title as a subject that phones show whole: a long one ends where its first half does."""
    title = " ".join(lead.title.split())
    if columns(title) <= SUBJECT:
        return title
    halves = [title[: found.start()] for found in _BREAK.finditer(title)]
    fit = [half for half in halves if SUBJECT / 2 <= columns(half) <= SUBJECT]
    return fit[-1] if fit else shorten(title, SUBJECT)


def preheader(lead: Document) -> str:
    """Return how the lead's introduction begins: its first sentence, and another where that is short for a line."""
    said = ""
    for sentence in text.sentences(lead.introduction):
        said = f"{said} {sentence}".strip()
        if columns(said) >= SHORT:
            break
    return shorten(said, PREHEADER)


def shorten(text: str, limit: int) -> str:
    """Return the text cut at a word to at most `limit` columns, with an ellipsis where it was cut."""
    text = " ".join(text.split())
    if columns(text) <= limit:
        return text
    fits = max(end for end in range(len(text)) if columns(text[:end]) < limit)
    return text[:fits].rsplit(" ", 1)[0].rstrip(" ,;:.–—-") + "…"


def columns(text: str) -> int:
    """Return how much room a line takes; characters of double width, as in Chinese, take the room of two."""
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)
