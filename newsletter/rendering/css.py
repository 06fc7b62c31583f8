"""Style sheets and style attributes, read as far as the checks need: rules, declarations, media, specificity."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cssselect import HTMLTranslator, SelectorError
from cssselect import parse as parse_selectors
from lxml import etree

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_STEP = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\((?:[^()\"']|\"[^\"]*\"|'[^']*')*\)|[{};]", re.DOTALL)
_DYNAMIC = re.compile(r":(?:hover|active|focus|visited|target|checked)|::|:(?:before|after|first-l|placeholder)")
_FEATURE = re.compile(r"\(\s*([a-z-]+)\s*(?::\s*([^)]+?)\s*)?\)")


@dataclass(frozen=True)
class Declaration:
    """One property with its value, both as written but in lower case where case means nothing."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True)
class Rule:
    """Selectors with their declarations, and the media queries that it stands in, the outermost first."""

    selectors: str
    declarations: tuple[Declaration, ...]
    media: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A style sheet taken apart; `at` are its at-rules by name with what follows the name."""

    rules: tuple[Rule, ...]
    at: tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)
def sheet(text: str) -> Sheet:
    """Return the sheet's rules in order; what cannot be read is left out, as a browser does."""
    rules: list[Rule] = []
    at: list[tuple[str, str]] = []
    _read(_COMMENT.sub(" ", text), (), rules, at)
    return Sheet(tuple(rules), tuple(at))


def _read(text: str, media: tuple[str, ...], rules: list[Rule], at: list[tuple[str, str]]) -> None:
    for prelude, body in _blocks(text):
        name = re.match(r"@[\w-]+", prelude)
        if name is None:
            if body is not None and prelude:
                rules.append(Rule(prelude, declarations(body), media))
            continue
        at.append((name[0].lower(), prelude[name.end() :].strip()))
        if name[0].lower() == "@media" and body is not None:
            _read(body, (*media, at[-1][1].lower()), rules, at)
        elif name[0].lower() in ("@supports", "@layer") and body is not None:
            _read(body, media, rules, at)


def _blocks(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each statement of a sheet: what stands before its block, and the block's text, None where it has none."""
    depth = start = opened = 0
    for step in _STEP.finditer(text):
        if step[0] == "{":
            opened = step.end() if depth == 0 else opened
            depth += 1
        elif step[0] == "}" and depth:
            depth -= 1
            if depth == 0:
                yield text[start : opened - 1].strip(), text[opened : step.start()]
                start = step.end()
        elif step[0] in ";}" and depth == 0:
            yield text[start : step.start()].strip(), None
            start = step.end()


@lru_cache(maxsize=4096)
def declarations(text: str) -> tuple[Declaration, ...]:
    """Return what a style attribute, or a rule's block, declares."""
    text = _COMMENT.sub(" ", text)
    pieces, start = [], 0
    for step in _STEP.finditer(text):
        if step[0] == ";":
            pieces.append(text[start : step.start()])
            start = step.end()
    return tuple(each for piece in [*pieces, text[start:]] for each in _declaration(piece))


def _declaration(piece: str) -> Iterator[Declaration]:
    name, colon, value = piece.partition(":")
    if colon and name.strip():
        bare = re.sub(r"\s*!\s*important\s*$", "", value.strip(), flags=re.IGNORECASE)
        yield Declaration(name.strip().lower(), bare.lower(), bare != value.strip())


@dataclass(frozen=True)
class Screen:
    """What media queries are answered by: a width in pixels, and `light` or `dark`."""

    width: int
    scheme: str

    def shows(self, queries: tuple[str, ...]) -> bool:
        """Return whether rules inside these nested media queries apply."""
        return all(any(self._fits(one) for one in query.split(",")) for query in queries)

    def _fits(self, query: str) -> bool:
        negated = query.strip().startswith("not ")
        kind = re.match(r"\s*(?:only\s+|not\s+)?([a-z]+)", query)
        fits = kind is None or kind[1] in ("all", "screen")
        fits = fits and all(self._has(name, value or "") for name, value in _FEATURE.findall(query))
        return fits is not negated

    def _has(self, name: str, value: str) -> bool:
        if name == "prefers-color-scheme":
            return value == self.scheme
        length = re.fullmatch(r"(\d+\.?\d*|\.\d+)(px|em|rem)", value)
        if name not in ("max-width", "min-width") or length is None:
            return False
        pixels = float(length[1]) * (1 if length[2] == "px" else 16)
        return self.width <= pixels if name == "max-width" else self.width >= pixels


@dataclass(frozen=True)
class Selector:
    """One selector, ready to be asked for its elements; `specificity` counts ids, classes and types."""

    specificity: tuple[int, int, int]
    find: Any


@lru_cache(maxsize=1024)
def selectors(text: str) -> tuple[Selector, ...]:
    """Return the selectors of a rule that match elements as they lie in the mail: none that waits for a pointer."""
    made = []
    for each in _split(text):
        if _DYNAMIC.search(each):
            continue
        try:
            parsed = parse_selectors(re.sub(r":link\b", "[href]", each))
            path = etree.XPath(HTMLTranslator().selector_to_xpath(parsed[0]))
        except (SelectorError, etree.XPathError):
            continue
        made.append(Selector(parsed[0].specificity(), path))
    return tuple(made)


def _split(text: str) -> list[str]:
    """Return the selectors of a list, which commas part, but not those inside brackets."""
    parts, depth = [""], 0
    for mark in text:
        depth += (mark in "([") - (mark in ")]")
        if mark == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += mark
    return [part.strip() for part in parts if part.strip()]
