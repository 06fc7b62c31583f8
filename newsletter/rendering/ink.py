"""The ink: how each piece of a page's text is set (colour, ground, size), without a browser.

A small cascade over what mail is made of: style attributes, the page's own sheets with their media queries, the bgcolor
attribute, and what browsers bring themselves. Layout, positions, images and gradients behind a text are not followed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from newsletter.colours import contrast
from newsletter.rendering import colours, css
from newsletter.rendering.colours import BLACK, WHITE, Colour
from newsletter.rendering.css import Declaration, Screen, Sheet

_contrast = lru_cache(maxsize=1024)(contrast)
# What Chromium, Safari and their like draw on where a page says that it knows the night.
_NIGHT, _NIGHT_LINK, _DAY_LINK = Colour(18, 18, 18), Colour(158, 158, 255), Colour(0, 0, 238)
_SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67, "small": 0.8333, "sub": 0.8333,
          "sup": 0.8333, "big": 1.2}  # fmt: skip
_WORDS = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
          "xx-large": 32.0}  # fmt: skip
_UNITS = {"px": 1.0, "pt": 4 / 3, "rem": 16.0, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
_BOLD = {"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "th"}
_OWN = {*_SIZES, *_BOLD, "a"}
_UNSEEN = {"head", "style", "script", "title", "template"}
_READ = {"color", "background", "background-color", "display", "visibility", "font", "font-size", "font-weight"}
_FONT = re.compile(
    r"(?:^|\s)((?:\d+\.?\d*|\.\d+)(?:px|pt|em|rem|%)|(?:xx?-)?(?:small|large)|medium)(?:\s*/\s*\S+)?\s+\S"
)
_LARGE, _LARGE_BOLD = 24.0, 18.66  # WCAG 2.2, "large scale": 18 point, or 14 point bold


@dataclass(frozen=True)
class Ink:
    """How text is set: its colour over the colour behind it, its size in pixels."""

    colour: Colour
    ground: Colour
    size: float = 16.0
    bold: bool = False
    hidden: bool = False

    @property
    def contrast(self) -> float:
        """Return the contrast of the text with its ground."""
        return _contrast(*self.pair)

    @property
    def pair(self) -> tuple[str, str]:
        """Return the colour that is seen, and the one behind it, as #rrggbb."""
        return self.colour.over(self.ground).hex, self.ground.hex

    @property
    def large(self) -> bool:
        """Return whether the text is so large that a contrast of 3 will do."""
        return self.size >= _LARGE or (self.bold and self.size >= _LARGE_BOLD)


def tells(each: Declaration) -> bool:
    """Return whether a declaration can make text faint, or small."""
    size = _size(each.value, 16.0) if each.name == "font-size" else None
    return each.name in ("color", "background", "background-color", "font") or (size is not None and size < 16)


@dataclass(frozen=True)
class Inked:
    """A visible piece of text: the element that it stands in, its words, its ink."""

    element: Any
    text: str
    ink: Ink


#: What the cascade found for an element: each property's winning value.
Style = dict[str, str]


def texts(tree: Any, sheets: list[Sheet], screen: Screen) -> list[Inked]:
    """Return each visible piece of the page's text as it is set on that screen, in the order of the page."""
    matched = _matched(tree, sheets, screen)
    knows_night = any(
        "dark" in (meta.get("content") or "") for meta in tree.iter("meta") if meta.get("name") == "color-scheme"
    )
    night = screen.scheme == "dark" and knows_night
    start = Ink(WHITE if night else BLACK, _NIGHT if night else WHITE)
    made: list[Inked] = []
    _walk(tree, start, matched, link=_NIGHT_LINK if night else _DAY_LINK, made=made)
    return made


def _walk(element: Any, around: Ink, matched: dict[Any, list[Any]], *, link: Colour, made: list[Inked]) -> None:
    if element.tag in _UNSEEN or not isinstance(element.tag, str):
        return
    style = _style(element, matched)
    ink = _set(element, around, style, link) if style or element.tag in _OWN else around
    if ink.hidden:
        return
    if element.text and element.text.strip():
        made.append(Inked(element, " ".join(element.text.split()), ink))
    for child in element:
        _walk(child, ink, matched, link=link, made=made)
        if child.tail and child.tail.strip():
            made.append(Inked(element, " ".join(child.tail.split()), ink))


def _matched(tree: Any, sheets: list[Sheet], screen: Screen) -> dict[Any, list[Any]]:
    """Return for each element what sheets declare for it, each declaration with its weight."""
    found: dict[Any, list[Any]] = {}
    for order, rule in enumerate(rule for sheet in sheets for rule in sheet.rules):
        told = [each for each in rule.declarations if each.name in _READ]
        if not told or not screen.shows(rule.media):
            continue
        for selector in css.selectors(rule.selectors):
            weighed = [((each.important, False, selector.specificity, order), each) for each in told]
            for element in selector.find(tree):
                found.setdefault(element, []).extend(weighed)
    return found


def _style(element: Any, matched: dict[Any, list[Any]]) -> Style:
    style: Style = {"background-color": element.get("bgcolor")} if element.get("bgcolor") else {}
    if element.get("hidden") is not None:
        style["display"] = "none"
    own = css.declarations(element.get("style") or "")
    found = matched.get(element)
    if found is None and not any(each.important for each in own):
        ordered: Iterable[Declaration] = own
    else:
        weighed = [*(found or ()), *(((each.important, True, (0, 0, 0), 0), each) for each in own)]
        ordered = [each for _, each in sorted(weighed, key=lambda pair: pair[0])]
    for each in ordered:
        if each.name in _READ:
            style.update(_longhands(each))
    return style


@lru_cache(maxsize=4096)
def _longhands(each: Declaration) -> Style:
    if each.name == "background":
        words = re.findall(r"[a-z]+a?\([^)]*\)|[^\s,/]+", each.value)
        return {"background-color": next((word for word in words if colours.read(word)), "transparent")}
    if each.name == "font":
        size = _FONT.search(each.value)
        weight = re.search(r"\b(bold|bolder|[1-9]00)\b", each.value.partition(",")[0])
        return {"font-size": size[1] if size else "medium", "font-weight": weight[1] if weight else "normal"}
    return {each.name: each.value}


def _set(element: Any, around: Ink, style: Style, link: Colour) -> Ink:
    tag = element.tag
    default = link if tag == "a" and element.get("href") is not None else around.colour
    ground = colours.read(style.get("background-color", "")) or colours.CLEAR
    size = _size(style.get("font-size", ""), around.size)
    weight = style.get("font-weight", "")
    return replace(
        around,
        colour=_colour(style.get("color", ""), around.colour, default),
        ground=ground.over(around.ground),
        size=around.size * _SIZES.get(tag, 1.0) if size is None else size,
        bold=_bold(weight) if weight and weight != "inherit" else around.bold or tag in _BOLD,
        hidden=style.get("display") == "none" or style.get("visibility") == "hidden",
    )


def _colour(value: str, around: Colour, default: Colour) -> Colour:
    if value in ("inherit", "currentcolor"):
        return around
    return colours.read(value) or default


def _size(value: str, around: float) -> float | None:
    if value in _WORDS:
        return _WORDS[value]
    number = re.fullmatch(r"(\d+\.?\d*|\.\d+)([a-z%]+)", value)
    if number is None:
        return around if value == "inherit" else None
    if number[2] in ("em", "%"):
        return around * float(number[1]) / (100 if number[2] == "%" else 1)
    return float(number[1]) * _UNITS[number[2]] if number[2] in _UNITS else None


def _bold(weight: str) -> bool:
    return weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= 600)
