"""Where in a theme's templates a piece of the finished page comes from."""

import html
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from newsletter.errors import NewsletterError
from newsletter.issues.content import IssueContent
from newsletter.rendering import layout, templates
from newsletter.rendering.marks import Marks
from newsletter.rendering.rendered import Links
from newsletter.settings import Settings

#: How many characters, with the marks around them, are looked for at most, and how few would be found anywhere.
_MOST, _LEAST = 60, 5


class Origins:
    """Finds elements of an issue's page in the theme by their words; the theme is rendered once more, at the first."""

    def __init__(self, content: IssueContent, settings: Settings) -> None:
        self.content, self.settings = content, settings

    def of(self, element: Any) -> str:
        """Return the `file:line` that wrote the element, empty where its words do not stand in the theme's output."""
        words = _bare(element.text or "")
        needle = f">{words[:_MOST]}" if len(words) > _MOST else f">{words}<"
        if element.tag == "img":
            needle = f'src="{_bare(element.get("src") or "")}"'
        text, place = self._traced
        offset = text.find(needle) if len(needle) > _LEAST else -1
        return self._short(place(offset + 1)) if offset >= 0 else ""

    @cached_property
    def _traced(self) -> tuple[str, Callable[[int], str]]:
        """Return the theme's output without white space, and what tells the template's line of a place in it."""
        nowhere = Links("", lambda briefing: "", "")
        try:
            values = layout.values(self.content, self.settings, nowhere, dated=None, marks=Marks(self.content, None))
            file = "correction.mjml.j2" if self.content.correction else templates.ISSUE
            pieces = templates.theme(self.settings).trace(file, values)
        except NewsletterError:  # the issue was frozen under another theme than is there now
            return "", lambda offset: ""
        return "".join(_bare(piece) for _, piece in pieces), templates.locate(pieces, _bare)

    def _short(self, place: str) -> str:
        """Return the path from the publication's folder, or the shipped templates', on."""
        path = Path(place)
        if path.is_relative_to(self.settings.folder):
            return str(path.relative_to(self.settings.folder))
        return str(Path(*path.parts[-3:]))


def _bare(text: str) -> str:
    return "".join(html.unescape(text).split())
