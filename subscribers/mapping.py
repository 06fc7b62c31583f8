"""Mapping: which column of a file is which field of a subscriber."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from subscribers import words
from subscribers.errors import BadRow
from subscribers.presets import LEAVE_OUT, PRESETS, WORDS, Preset

#: What a column can be, beside an attribute and nothing.
FIELDS = (
    "email", "name", "first_name", "last_name", "language", "country", "audience", "frequency", "topics", "lists",
    "status", "suppressed", "joined", "consented", "consent_ip", "attributes",
)  # fmt: skip
_ATTRIBUTE = "attribute "


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of one file: the place of each field and of each attribute, and how their cells are understood.

    `settles` are the places of columns whose being filled says a standing; `words` are the file's words for one.
    `left_out` names what is taken for nothing, keys of an attributes object among them.
    """

    names: tuple[str, ...]
    fields: Mapping[str, int]
    attributes: Mapping[str, int]
    left_out: frozenset[str]
    settles: Mapping[int, str]
    words: Mapping[str, str]
    separator: str


def spelled(column: str) -> str:
    """Return a column's name in lower case, with an underscore for everything that is no letter or digit."""
    return re.sub(r"\W+", "_", column.strip().lower()).strip("_")


def preset(name: str) -> Preset:
    """Return another program's columns; raise BadRow for a program that is not known."""
    if name and name not in PRESETS:
        raise BadRow(f"there is no preset {name[:40]!r}{words.near(name, PRESETS)} (presets: {', '.join(PRESETS)})")
    return PRESETS[name] if name else Preset(columns={})


def choose(columns: Sequence[str], *, name: str, program: str = "", given: Iterable[str] = ()) -> Columns:
    """Return what each column is: as `given` (Column=field) says, else as the program's export has it, else by name.

    `name` is the file's, for the errors. A column that is none of our fields is an attribute.
    """
    known = preset(program)
    said, left_out = _said(given, columns)
    fields: dict[str, int] = {}
    attributes: dict[str, int] = {}
    for place, column in enumerate(columns):
        field = said.get(place) or known.columns.get(spelled(column)) or _by_name(column, place, name)
        if field == LEAVE_OUT:
            left_out.add(spelled(column))
            continue
        into, key = (attributes, field.removeprefix(_ATTRIBUTE)) if field.startswith(_ATTRIBUTE) else (fields, field)
        if key in into:
            raise BadRow(
                f"{name}: the columns {columns[into[key]]!r} and {column!r} are both {field}; leave one out: "
                f"--map '{column}={LEAVE_OUT}'; nothing was written"
            )
        into[key] = place
    if "email" not in fields:
        raise BadRow(_no_email(columns, name))
    settles = {
        place: known.settles[word] for place, column in enumerate(columns) if (word := spelled(column)) in known.settles
    }
    return Columns(
        names=tuple(columns), fields=fields, attributes=attributes, left_out=frozenset(left_out), settles=settles,
        words={**WORDS, **known.words}, separator=known.separator,
    )  # fmt: skip


def undeclared(columns: Columns, names: Collection[str], declared: Collection[str], *, name: str) -> BadRow:
    """Return the error that names every column that is an attribute nobody declared, with the ways on."""
    shown = {columns.names[place]: attribute for attribute, place in columns.attributes.items() if attribute in names}
    shown |= {attribute: attribute for attribute in sorted(names) if attribute not in columns.attributes}
    column, first = next(iter(shown.items()))
    return BadRow(
        f"{name}: nobody declared the attributes {', '.join(shown.values())}{words.near(first, declared)}. "
        f"Declare each: newsletter subscribers attributes add {first} --type str; or all of them as text: --declare; "
        f"or leave a column out: --map '{column}={LEAVE_OUT}'. Nothing was written"
    )


def _said(given: Iterable[str], columns: Sequence[str]) -> tuple[dict[int, str], set[str]]:
    """Return the fields that were said by place, and the names that are no column and left out."""
    said: dict[int, str] = {}
    left_out: set[str] = set()
    for text in given:
        column, _, field = (part.strip() for part in text.rpartition("="))
        places = [place for place, each in enumerate(columns) if column and each == column]
        places = places or [place for place, each in enumerate(columns) if column and spelled(each) == spelled(column)]
        if not places and field == LEAVE_OUT and column:
            left_out.add(spelled(column))
            continue
        if not places:
            raise BadRow(
                f"--map {text!r}: there is no column {column[:40]!r}{words.near(column, columns)} "
                f"(columns: {', '.join(columns)}); nothing was written"
            )
        said[places[0]] = _field(field, text)
    return said, left_out


def _field(field: str, text: str) -> str:
    if field in FIELDS or field == LEAVE_OUT:
        return field
    if field.startswith(_ATTRIBUTE) and field.removeprefix(_ATTRIBUTE).isidentifier():
        return field
    raise BadRow(
        f"--map {text!r}: {field[:40]!r} is no field{words.near(field, FIELDS)} (fields: {', '.join(FIELDS)}; "
        f"'attribute NAME'; {LEAVE_OUT} leaves the column out); nothing was written"
    )


def _by_name(column: str, place: int, name: str) -> str:
    word = spelled(column)
    if word in FIELDS:
        return word
    if not word.isidentifier():
        raise BadRow(
            f"{name}, line 1: column {place + 1} is called {column[:40]!r}; a column needs a name that begins with a "
            "letter; nothing was written"
        )
    return _ATTRIBUTE + word


def _no_email(columns: Sequence[str], name: str) -> str:
    has = ", ".join(column[:40] for column in columns)
    words_ = {spelled(column) for column in columns}
    near = [each for each, known in PRESETS.items() if any(known.columns.get(word) == "email" for word in words_)]
    hint = f"is it an export of {' or '.join(near)}? --preset {near[0]}; " if near else ""
    return (
        f"{name} has no column `email` (it has: {has}); {hint}say which column holds the addresses: "
        "--map 'COLUMN=email'; nothing was written"
    )
