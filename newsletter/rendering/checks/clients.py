"""The rule about what mail programs can show: features that one of them lacks, and that no shipped theme uses."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from newsletter.rendering import baseline, css
from newsletter.rendering.checks.rule import WARN, Fault, Rule
from newsletter.rendering.proof import Proof

_KEYWORD = re.compile(r"(?<![\w-])([a-z][a-z-]*)(?![\w(-])")
_FUNCTION = re.compile(r"([a-z-]+)\(")
_UNIT = re.compile(r"(?<![\w#.-])-?[\d.]+(%|[a-z]+)\b|(?<=\d)(%)")
_PSEUDO = re.compile(r"::?([a-z-]+)")
_STRINGS = re.compile(r"\"[^\"]*\"|'[^']*'|url\([^)]*\)")


@dataclass(frozen=True)
class Feature:
    """Something that a page can use, with the clients that do not show it, or only in part."""

    title: str
    url: str
    no: tuple[str, ...]
    partly: tuple[str, ...]


def _lacking(sheet: Proof) -> Iterator[Fault]:
    known, places = features(), marks(sheet)
    told = set()
    for mark in sorted(baseline.beyond(known.keys() & places.keys(), theme=sheet.rendered.theme)):
        for feature in known[mark]:
            if feature.title not in told:
                told.add(feature.title)
                yield places[mark], f"{feature.title} {_missing(feature)}; see {feature.url}"


def _missing(feature: Feature) -> str:
    said = []
    if feature.no:
        said.append(f"is not shown by {', '.join(feature.no)}")
    if feature.partly:
        said.append(f"only in part by {', '.join(feature.partly)}")
    return " and ".join(said)


@lru_cache(maxsize=1)
def features() -> dict[str, list[Feature]]:
    """Return the features that some client lacks, by the marks of a page that uses them (data/caniemail.json)."""
    data = json.loads(resources.files("newsletter.rendering").joinpath("data/caniemail.json").read_text("utf-8"))
    named = data["clients"]
    found: dict[str, list[Feature]] = {}
    for each in data["features"].values():
        no, partly = (tuple(named[client] for client in each[kind]) for kind in ("no", "partly"))
        for mark in each["marks"]:
            found.setdefault(mark, []).append(Feature(each["title"], each["url"], no, partly))
    return found


def marks(sheet: Proof) -> dict[str, str]:
    """Return what the page uses as `kind:name`, each with the place where it is used first."""
    found: dict[str, str] = {}
    styles: dict[str, Any] = {}
    for element in sheet.elements:
        styles.setdefault(element.get("style") or "", element)
        for mark in _of_element(element):
            if mark not in found:
                found[mark] = sheet.place(element)
    for style, element in styles.items():
        for mark in of_declarations(css.declarations(style)):
            if mark not in found:
                found[mark] = sheet.place(element)
    for each in sheet.parsed:
        for mark in _of_sheet(each):
            found.setdefault(mark, "a style sheet of the theme")
    return found


def _of_element(element: Any) -> Iterator[str]:
    yield f"element:{element.tag}"
    yield from (f"attribute:{name}" for name in element.attrib)
    if element.tag == "input":
        yield f"input:{element.get('type') or 'text'}"
    if element.tag == "meta" and element.get("name") == "color-scheme":
        yield "meta:color-scheme"
    href = (element.get("href") or "").lower()
    if href.startswith(("#", "mailto:")):
        yield "href:#" if href[0] == "#" else "href:mailto"


@lru_cache(maxsize=2048)
def of_declarations(declared: tuple[css.Declaration, ...]) -> frozenset[str]:
    """Return the marks of what a style attribute, or a rule, declares."""
    found = set()
    for each in declared:
        if each.name.startswith(("mso-", "-ms-", "-webkit-", "-moz-")):
            continue
        found.add("property:--*" if each.name.startswith("--") else f"property:{each.name}")
        value = _STRINGS.sub(" ", each.value)
        found |= {f"value:{each.name}:{word}" for word in value.split()}
        found |= {f"keyword:{word}" for word in _KEYWORD.findall(value)}
        found |= {f"function:{name}" for name in _FUNCTION.findall(value)}
        found |= {f"unit:{unit or percent}" for unit, percent in _UNIT.findall(value)}
        if each.important:
            found.add("important")
    return frozenset(found)


@lru_cache(maxsize=64)
def _of_sheet(each: css.Sheet) -> frozenset[str]:
    found = set()
    for name, rest in each.at:
        found.add(f"at:{name}")
        if name == "@media":
            found |= {f"media:{feature.removeprefix('-webkit-')}" for feature in re.findall(r"\(\s*([a-z-]+)", rest)}
    for rule in each.rules:
        bare = re.sub(r"\[[^\]]*\]", "[", rule.selectors)
        found |= {f"pseudo:{name}" for name in _PSEUDO.findall(bare)}
        found |= {f"selector:{mark}" for mark in "+>~[#*" if mark in bare}
        found |= of_declarations(rule.declarations)
    return frozenset(found)


RULES: tuple[Rule[Proof], ...] = (
    Rule("email.client", WARN, _lacking, "HTML and CSS that one of 14 mail clients lacks, and no shipped theme uses",
         "some readers see the mail otherwise than it was made (data: caniemail.com)",
         "look at the issue without it, or take it out of the theme"),
)  # fmt: skip
