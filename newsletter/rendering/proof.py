"""The proof: a rendering taken apart for the checks."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

import lxml.etree
import lxml.html

from newsletter.issues.content import IssueContent
from newsletter.rendering import css, ink
from newsletter.rendering.layout import one_line
from newsletter.rendering.origins import Origins
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings

#: The two ways in which a mail program shows a page, and the widths in pixels at which it is looked at.
SCHEMES, WIDTH, PHONE = ("light", "dark"), 640, 375
_ASIDE = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)


@dataclass(frozen=True)
class Proof:
    """What is checked: the words that went in, what came out, and the settings that both go by."""

    content: IssueContent
    rendered: Rendered
    settings: Settings

    @cached_property
    def tree(self) -> Any:
        """Return the HTML as a tree, however broken it is."""
        told = self.rendered.html.encode("utf-8", "replace")
        try:
            return lxml.html.document_fromstring(told, parser=lxml.html.HTMLParser(encoding="utf-8"))
        except lxml.etree.ParserError:  # nothing stands in it
            return lxml.html.document_fromstring("<html></html>")

    @cached_property
    def elements(self) -> list[Any]:
        """Return every element in order; held here, so that lxml makes each one's object only once."""
        return [each for each in self.tree.iter() if isinstance(each.tag, str)]

    @cached_property
    def sheets(self) -> list[str]:
        """Return the page's style sheets, without comments and strings."""
        return [_ASIDE.sub("", sheet.text or "") for sheet in self.tree.iter("style")]

    @cached_property
    def parsed(self) -> list[css.Sheet]:
        """Return the page's style sheets, taken apart."""
        return [css.sheet(sheet.text or "") for sheet in self.tree.iter("style")]

    @cached_property
    def _inks(self) -> dict[tuple[str, int], list[ink.Inked]]:
        screens = [(scheme, width) for scheme in SCHEMES for width in (WIDTH, PHONE) if width == WIDTH or self._narrows]
        return {
            (scheme, width): ink.texts(self.tree, self.parsed, css.Screen(width, scheme)) for scheme, width in screens
        }

    @cached_property
    def _narrows(self) -> bool:
        """Return whether the page has colours of its own, or small letters, for screens of some width."""
        return any(
            ink.tells(declared)
            for sheet in self.parsed
            for rule in sheet.rules
            if any("-width" in query for query in rule.media)
            for declared in rule.declarations
        )

    def inks(self, scheme: str) -> list[ink.Inked]:
        """Return each visible piece of the HTML's text as it is set in `light` or `dark` mode.

        Where a phone may set it otherwise in what the checks look at, each piece stands in it a second time.
        """
        return [*self._inks[scheme, WIDTH], *self._inks.get((scheme, PHONE), ())]

    @property
    def visible(self) -> str:
        """Return the text that somebody sees in the HTML."""
        return " ".join(each.text for each in self._inks["light", WIDTH])

    @cached_property
    def paragraphs(self) -> list[str]:
        """Return the plain text's paragraphs, each as one line."""
        return [one_line(paragraph) for paragraph in re.split(r"\n\s*\n", self.rendered.text)]

    @cached_property
    def shown(self) -> str:
        """Return what the HTML says, as one line."""
        return said(self.tree)

    def all(self, *tags: str) -> Iterator[Any]:
        """Yield the elements of these tags, in the order of the page."""
        yield from self._tagged[tags[0]] if len(tags) == 1 else (each for each in self.elements if each.tag in tags)

    @cached_property
    def _tagged(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for each in self.elements:
            found[each.tag].append(each)
        return found

    @cached_property
    def _items(self) -> dict[Any, str]:
        held = {item.document.id: f"html, item {item.position}: {item.document.id}" for item in self.content.items}
        return {self._marked[name]: place for name, place in held.items() if name in self._marked}

    @cached_property
    def _marked(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in self.tree.xpath("//*[contains(@class, 'item-')]"):
            for name in each.get("class").split():
                if name.startswith("item-"):
                    found.setdefault(name.removeprefix("item-"), each)
        return found

    @cached_property
    def _places(self) -> dict[Any, str]:
        inside = [(each, place) for item, place in self._items.items() for each in item.iter()]
        return {**dict.fromkeys(self.elements, "html"), **dict(inside)}

    def place(self, element: Any) -> str:
        """Return where in the HTML an element stands: in which item, if it is in one."""
        return self._places[element]

    def words(self, link: Any) -> str:
        """Return what a reader takes a link for."""
        return self._words[link]

    @cached_property
    def _words(self) -> dict[Any, str]:
        return {link: words(link) for link in self.all("a")}

    @cached_property
    def _origins(self) -> Origins:
        return Origins(self.content, self.settings)

    def line(self, element: Any) -> str:
        """Return where an element stands, and which line of the theme wrote it, where that can be told."""
        return ", ".join(filter(None, (self.place(element), self._origins.of(element))))

    def item(self, briefing: str) -> Any | None:
        """Return the element that holds a briefing, by its class `item-ID`."""
        return self._marked.get(briefing)


def said(element: Any) -> str:
    """Return the text in an element as one line."""
    return one_line(" ".join(element.itertext()))


def words(element: Any) -> str:
    """Return what a reader, or somebody who listens to the mail, takes an element for."""
    named = [element.get("aria-label") or "", *(image.get("alt") or "" for image in element.iter("img"))]
    return one_line(" ".join([element.text_content(), *named]))


def links_to(element: Any, url: str) -> bool:
    """Return whether a link in the element leads to the address."""
    return any(same(link.get("href") or "", url) for link in element.iter("a"))


def same(one: str, other: str) -> bool:
    """Return whether two addresses are the same but for the escapes that writing HTML brings (RFC 3986 2.1)."""
    return _escaped(one) == _escaped(other)


def _escaped(url: str) -> str:
    return quote(url.strip(), safe="%:/?#@!$&'()*+,;=~")


def nested(sheet: str) -> str:
    """Return the first at-rule that stands inside another one, or nothing."""
    depth = 0
    for found in re.finditer(r"[{}]|@[\w-]+", sheet):
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
        elif depth:
            return found[0]
    return ""
