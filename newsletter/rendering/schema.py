"""What MJML allows, held against a template: which component may stand where, and with which attributes.

The table is the reference implementation's (data/mjml.json, by tools/vendor.py): the compiler in use takes anything.
"""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import Any

# What every component takes besides its own (mjml-validator, attribute rules), and what the root takes.
_EVERYWHERE = {"css-class", "mj-class"}
_ROOT = {"lang": "string", "dir": "string", "owa": "string"}
# In mj-attributes a component's name stands for its defaults, and mj-class for a set of them with a name.
_DEFAULTS = {"mj-all", "mj-class"}
_COLOUR = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|(?:rgb|hsl)a?\([^)]*\)|[a-z]+|light-dark\(.*\)", re.I)


def problems(root: Any) -> Iterator[tuple[int, str]]:
    """Yield (line, what is wrong) for each component of a parsed MJML document that the schema does not allow."""
    known = components()
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag in {*known, "mjml", *_DEFAULTS} and not _inside_text(element):
            line = int(element.sourceline or 1)
            yield from ((line, problem) for problem in _placed(element, known))
            yield from ((line, problem) for problem in _attributes(element, known))


@lru_cache(maxsize=1)
def components() -> dict[str, Any]:
    """Return the schema by component: its attributes with their types, its children."""
    text = resources.files("newsletter.rendering").joinpath("data/mjml.json").read_text("utf-8")
    known: dict[str, Any] = json.loads(text)["components"]
    return known


def _inside_text(element: Any) -> bool:
    """Return whether the component stands where MJML takes everything for the mail's own HTML."""
    return any(parent.tag in ("mj-text", "mj-raw", "mj-table", "mj-button") for parent in element.iterancestors())


def _placed(element: Any, known: dict[str, Any]) -> Iterator[str]:
    parent = element.getparent()
    if parent is None or parent.tag == "mj-attributes":
        return
    allowed = ["mj-head", "mj-body"] if parent.tag == "mjml" else known.get(parent.tag, {}).get("children", [])
    if "*" not in allowed and element.tag not in allowed:
        homes = sorted(f"<{name}>" for name, each in known.items() if element.tag in each["children"])
        way = f"move it into {' or '.join(homes)}" if homes else "take it out"
        yield f"<{element.tag}> cannot stand in <{parent.tag}>; {way}"


def _attributes(element: Any, known: dict[str, Any]) -> Iterator[str]:
    if element.tag in _DEFAULTS or element.tag == "mjml":
        kinds = _ROOT if element.tag == "mjml" else {}
    else:
        kinds = known[element.tag]["attributes"]
    for name, value in element.attrib.items():
        if element.tag in _DEFAULTS or name in _EVERYWHERE:
            continue
        if name not in kinds:
            near = get_close_matches(name, kinds, n=1)
            yield f"<{element.tag}> has no attribute {name}; " + (f"did you mean {near[0]}?" if near else "take it out")
        elif not fits(value, kinds[name]):
            yield f'{name}="{value}" of <{element.tag}> is no {_said(kinds[name])}; correct the value'


def fits(value: str, kind: str) -> bool:
    """Return whether an attribute's value is of a type of the schema, such as `unit(px,%){1,4}` or `enum(ltr,rtl)`."""
    shape = re.fullmatch(r"(\w+)(?:\((.*)\))?(?:\{(\d+),(\d+)\})?", kind)
    if shape is None:
        return True
    name, among, least, most = shape.groups()
    options = (among or "").split(",")
    if name == "enum":
        return value in options
    if name == "color":
        return _COLOUR.fullmatch(value.strip()) is not None
    if name in ("unit", "unitWithNegative"):
        words = value.split()
        return int(least or 1) <= len(words) <= int(most or 1) and all(
            _unit(word, options, signed=name == "unitWithNegative") for word in words
        )
    if name in ("boolean", "integer"):
        return value in ("true", "false") if name == "boolean" else value.isdigit()
    return True


def _unit(word: str, options: list[str], *, signed: bool) -> bool:
    number = re.fullmatch(r"(-?)(?:\d+\.?\d*|\.\d+)(px|%|em|rem)?", word)
    if number is None:
        return word in options and word != ""
    if number[1] and not signed:
        return False
    return (number[2] or "") in options or not re.search("[1-9]", word)


def _said(kind: str) -> str:
    name, _, rest = kind.partition("(")
    among = rest.partition(")")[0].strip(",").replace(",", ", ")
    words = {"enum": f"one of {among}", "color": "colour", "unit": f"length in {among}"}
    return words.get(name, f"length in {among}" if name == "unitWithNegative" else name)
