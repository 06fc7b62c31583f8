"""The front matter of a briefing: a small, strict part of YAML in which every scalar is a string.

YAML would read `country: NO` as false, `12:30` as 750, and keep the last of two equal keys. So its values are never
constructed: the parser's nodes keep each scalar as it was written, and their readers here say what it must be.
Aliases, anchors, tags, and keys that are doubled or unknown are errors with their line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from newsletter.editorial import text
from newsletter.editorial.names import Shape
from newsletter.errors import BadInput

_MOMENT = re.compile(
    r"(?:19|20|21)\d\d-\d\d-\d\d"
    r"(?P<time>[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?P<offset>Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?"
)
_DEEPEST = 4
#: libyaml's reader where PyYAML has it, several times as fast as its own.
_QUICK: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Member = TypeVar("_Member", bound=StrEnum)


@dataclass(frozen=True)
class Place:
    """A part of a file, so that an error can say where it stands: the file, and the line that the part begins on."""

    file: str
    first: int = 1

    def bad(self, line: int, reason: str, next: str) -> BadInput:
        """Return the error for a line of the file."""
        return BadInput(f"{self.file}:{line}: {reason}; {next}")


@dataclass(frozen=True)
class Field:
    """One key with its value, read as what the format says it is; all readers raise BadInput."""

    name: str
    node: yaml.Node
    place: Place

    def bad(self, reason: str, next: str) -> BadInput:
        """Return the error for this field."""
        return self.place.bad(_line(self.node, self.place), f"{self.name} {reason}", next)

    def text(self, *, limit: int = 500) -> str:
        """Return one line of text, the empty string where nothing stands."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.bad("must be one text", f"write {self.name}: words, without brackets or dashes")
        value = text.normal(self.node.value).strip(" \t\n")
        if text.refused(value) or "\n" in value or "\t" in value:
            raise self.bad("must be one line without control characters", "write it on one line")
        if len(value) > limit:
            raise self.bad(f"is {len(value)} characters long and may have {limit}", "shorten it")
        return value

    def word(self, shape: Shape, *, empty: bool = False) -> str:
        """Return a name of the given shape, or the empty string where nothing may stand."""
        value = self.text()
        if not shape.fits(value) and (value or not empty):
            raise self.bad(f"is {value!r}", f"use {shape}")
        return value

    def words(self, shape: Shape) -> tuple[str, ...]:
        """Return a list of different names of the given shape."""
        if isinstance(self.node, yaml.ScalarNode) and not self.node.value:
            return ()
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.bad("must be a list", f"write {self.name}: [one, two]")
        found = tuple(Field(self.name, node, self.place).word(shape) for node in self.node.value)
        for value in found:
            if found.count(value) > 1:
                raise self.bad(f"holds {value!r} twice", "take one out")
        return found

    def one_of(self, kind: type[_Member]) -> _Member:
        """Return a member of a closed set of words."""
        value = self.text()
        try:
            return kind(value)
        except ValueError:
            raise self.bad(f"is {value!r}", f"use one of {', '.join(kind)}") from None

    def moment(self, *, day: bool = True) -> datetime | None:
        """Return an aware time, None where nothing stands; a day alone (where allowed) is its first moment in UTC."""
        value = self.text()
        if not value:
            return None
        found = _MOMENT.fullmatch(value)
        if found and found["time"] and not found["offset"]:
            raise self.bad(f"is {value!r}, a time without an offset", f"write {value}Z, or the offset of its place")
        if found and (found["time"] or day):
            try:
                read = datetime.fromisoformat(value)
            except ValueError:  # the thirtieth of February, the 25th hour
                found = None
            else:
                return read if found["time"] else read.replace(tzinfo=UTC)
        example = "2026-05-04T10:00:00+08:00" + (" or 2026-05-04" if day else "")
        raise self.bad(f"is {value!r}, no {'date' if day else 'time with an offset'}", f"write it as {example}")

    def tables(self, *, known: Mapping[str, bool]) -> list[dict[str, "Field"]]:
        """Return a list of groups of fields; `known` says of each key whether it must stand."""
        if isinstance(self.node, yaml.ScalarNode) and not self.node.value:
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.bad("must be a list", "begin each entry with '- name:'")
        return [fields(node, self.place, what=self.name, known=known) for node in self.node.value]


def load(front: str, place: Place, *, known: Mapping[str, bool]) -> dict[str, Field]:
    """Return the fields of a front matter by name; `known` says of each key whether it must stand."""
    try:
        node = _node(front, place)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = place.first + (mark.line if mark else 0)
        reason = f"the front matter does not read as YAML: {error.problem}"
        raise place.bad(line, reason, "mend the line; text with ': ' or ' #' in it needs quotes") from error
    except (ValueError, OverflowError, yaml.YAMLError) as error:
        raise place.bad(place.first, "the front matter has an escape that is no character", "write it out") from error
    if node is None:
        raise place.bad(place.first, "the front matter is empty", "write format: briefing/1 and id: WORD")
    return fields(node, place, what="the front matter", known=known)


def fields(node: yaml.Node, place: Place, *, what: str, known: Mapping[str, bool]) -> dict[str, Field]:
    """Return the fields of one mapping; a key that is doubled, unknown or missing is an error."""
    if not isinstance(node, yaml.MappingNode):
        raise place.bad(_line(node, place), f"{what} must be made of lines like 'key: value'", "write the keys out")
    found: dict[str, Field] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
            raise place.bad(_line(key, place), f"{what} has no key {name!r}", hint)
        if name in found:
            raise place.bad(_line(key, place), f"{name} stands twice", "keep one of them")
        found[name] = Field(name, value, place)
    for name, needed in known.items():
        if needed and name not in found:
            raise place.bad(_line(node, place), f"{what} lacks {name}", f"add {name}: to it")
    return found


def _node(front: str, place: Place) -> yaml.Node | None:
    """Return what the text holds; PyYAML's own reader, which is the measure, judges what libyaml refuses."""
    try:
        return _read(front, place, _QUICK)
    except (ValueError, OverflowError, yaml.YAMLError):
        return _read(front, place, yaml.SafeLoader)


def _read(front: str, place: Place, loader: Any) -> yaml.Node | None:
    _refuse_extras(front, place, loader)
    return yaml.compose(front, Loader=loader)


def _refuse_extras(front: str, place: Place, loader: Any) -> None:
    """Refuse what the format has no use for, before anything is built of it."""
    depth = 0
    for event in yaml.parse(front, Loader=loader):
        line = place.first + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise place.bad(line, "the front matter has an alias or an anchor (* or &)", "write the value out")
        if tag := getattr(event, "tag", None):
            raise place.bad(line, f"the front matter has a tag ({tag})", "every value is a text: take it out")
        if isinstance(event, (yaml.DocumentStartEvent, yaml.DocumentEndEvent)) and event.explicit:
            raise place.bad(line, "the front matter has a second document in it", "take the line out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise place.bad(line, "the front matter is nested too deeply", "no value has more than two levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _line(node: yaml.Node, place: Place) -> int:
    return int(place.first + node.start_mark.line)
