"""Reading: the cells of a row become a person to be put on lists, or the reason why not."""

import contextlib
import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from subscribers import addresses, attributes, formulas, profiles, words
from subscribers.attributes import Value
from subscribers.errors import BadValue
from subscribers.joining import Entry
from subscribers.mapping import FIELDS, Columns, spelled
from subscribers.models import AttributeType, SubscriptionState, SuppressionReason
from subscribers.profiles import Profile
from subscribers.sources import Source
from subscribers.topics import word

_GO = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d{4})(?: \S+)?")
_STATES, _CONFIRMED = frozenset(SubscriptionState), SubscriptionState.CONFIRMED.value

_NOTHING: dict[str, Value] = {}

Stands = Mapping[int, SubscriptionState] | None
Bars = Mapping[int | None, SuppressionReason]


class Reader:
    """Reads rows of one file: `lists` are all lists by name, `on` the numbers of those that the rows are for."""

    def __init__(
        self, columns: Columns, *, lists: Mapping[str, int], on: Sequence[int], types: Mapping[str, AttributeType],
        guarded: bool,
    ) -> None:  # fmt: skip
        self._columns, self._lists, self._on, self._types, self._guarded = columns, lists, on, types, guarded
        self._width = len(columns.names)
        self._fields = itemgetter(*[columns.fields.get(name, -1) for name in FIELDS])
        self._says_standing = bool(columns.settles) or "status" in columns.fields
        self._typed: Callable[[str, AttributeType, str], Value] = lru_cache(5000)(attributes.read)
        self._topics = lru_cache(5000)(self._topics_of)
        self._stands = lru_cache(5000)(self._stands_of)
        self._bars = lru_cache(5000)(self._bars_of)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes it anew."""
        made = partial(Reader, lists=self._lists, on=self._on, types=self._types, guarded=self._guarded)
        return made, (self._columns,)

    def __call__(self, cells: Sequence[str]) -> Entry:
        """Return the person whom a row names and where they are to stand; raise BadValue for a row that is none."""
        if len(cells) != self._width:
            raise BadValue(
                cells[0] if cells else "",
                f"{len(cells)} values under {self._width} columns; quote a value that holds the separator",
            )
        if self._guarded and "'" in "".join(cells):
            cells = [formulas.bare(cell) for cell in cells]
        cells = [*cells, ""]  # the last, at -1, is what a field without a column says
        (
            email, name, first, last, language, country, audience, frequency, topics, on, status, suppressed, joined,
            consented, ip, known,
        ) = self._fields(cells)  # fmt: skip
        stands, bars = self._stands(self._standing(status, cells) if self._says_standing else _CONFIRMED, on)
        person = Profile(
            addresses.parse(email.strip(" \t")), profiles.full_name(name or f"{first.strip()} {last.strip()}"),
            language and profiles.language_code(language), country and profiles.country_code(country),
            audience and profiles.audience_word(audience), profiles.how_often(frequency) if frequency else None,
            self._topics(topics), self._attributes(cells, known) if known or self._columns.attributes else _NOTHING,
        )  # fmt: skip
        return Entry(
            person, stands, self._bars(suppressed) if suppressed else bars, moment(joined) if joined else None,
            moment(consented) if consented else None, ip and words.printable(ip.strip(" "), 45),
        )  # fmt: skip

    def _standing(self, status: str, cells: Sequence[str]) -> str:
        """Return where the row says that the person stands, in our words."""
        for place, standing in self._columns.settles.items():
            if cells[place].strip():
                return standing
        if "status" not in self._columns.fields:
            return _CONFIRMED
        given = status.strip().lower()
        if given not in self._columns.words:
            known = ", ".join(dict.fromkeys(self._columns.words))
            raise BadValue(given, f"the status is none that is known ({known})")
        return self._columns.words[given]

    def _stands_of(self, status: str, lists: str) -> tuple[Stands, Bars]:
        """Return where somebody is to stand on each list, and the suppression that a status means."""
        if status not in _STATES:
            return None, {None: SuppressionReason(status)}
        stands = dict.fromkeys(self._on, SubscriptionState(status))
        for part in _parts(lists, ";"):
            name, _, state = part.partition("=")
            if state and state not in _STATES:
                raise BadValue(part, f"a list is NAME or NAME=STATE, a state one of: {', '.join(SubscriptionState)}")
            stands[self._number(name)] = SubscriptionState(state or status)
        return stands, {}

    def _bars_of(self, cell: str) -> Bars:
        bars: dict[int | None, SuppressionReason] = {}
        for part in _parts(cell, ";"):
            name, _, reason = part.rpartition("=")
            if reason not in list(SuppressionReason):
                raise BadValue(reason, f"the reason of a suppression is one of: {', '.join(SuppressionReason)}")
            bars[self._number(name) if name else None] = SuppressionReason(reason)
        return bars

    def _number(self, name: str) -> int:
        if name not in self._lists:
            raise BadValue(name, f"there is no such list{words.near(name, self._lists)}; newsletter lists create NAME")
        return self._lists[name]

    def _topics_of(self, cell: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(word, _parts(cell, self._columns.separator))))

    def _attributes(self, cells: Sequence[str], known: str) -> dict[str, Value]:
        given = {name: value for name, value in objects(known).items() if name not in self._columns.left_out}
        given |= {name: cells[place] for name, place in self._columns.attributes.items()}
        return {name: self._typed(name, self._types[name], value) for name, value in given.items() if value}


def keys(source: Source, columns: Columns) -> set[str]:
    """Return the attributes that any object in a file's column of attributes names, less those that are left out."""
    place = columns.fields.get("attributes")
    if place is None:
        return set()
    found: set[str] = set()
    for _, cells in source.records():
        if not isinstance(cells, str) and place < len(cells):
            with contextlib.suppress(BadValue):  # a row to reject, when its turn comes
                found.update(objects(cells[place]))
    return found - columns.left_out


def confirms(source: Source, columns: Columns) -> bool:
    """Return whether any row of a file may say that somebody is confirmed."""
    place = columns.fields.get("status")
    if "lists" in columns.fields or (place is None and not columns.settles):
        return True
    for _, cells in source.records():
        if isinstance(cells, str) or len(cells) != len(columns.names):
            continue
        settled = any(cells[each].strip() for each in columns.settles)
        if not settled and (place is None or columns.words.get(cells[place].strip().lower()) == _CONFIRMED):
            return True
    return False


def objects(cell: str) -> dict[str, str]:
    """Return the attributes of a cell that holds a JSON object, as texts under names in our spelling."""
    if not cell.strip():
        return {}
    try:
        given = json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise BadValue(cell[:200], f"the attributes are no JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadValue(cell[:200], 'the attributes are no JSON object, such as {"plan": "pro"}')
    return {spelled(name): written(value) for name, value in given.items()}


def written(value: Any) -> str:
    """Return a value of an attribute, or of JSON, as the text that `attributes.read` takes."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if "e" in repr(value):
            return f"{value:.15f}".rstrip("0")
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def _parts(cell: str, separator: str) -> list[str]:
    """Return the parts of a cell: a JSON list, an object as NAME=VALUE, or texts between separators, perhaps quoted."""
    if not cell.strip(" \t"):
        return []
    if cell[0] in "[{":
        with contextlib.suppress(ValueError, RecursionError):
            given = json.loads(cell)
            return (
                [f"{name}={value}" for name, value in given.items()]
                if cell[0] == "{"
                else [str(each) for each in given if str(each).strip(" \t")]
            )
    parts = cell.split(separator)
    if '"' in cell:
        parts = next(csv.reader([cell], delimiter=separator, skipinitialspace=True), [])
    return [part.strip(" \t") for part in parts if part.strip(" \t")]


@lru_cache(maxsize=5000)
def moment(text: str) -> datetime | None:
    """Return the moment that a text says, in UTC where it says no offset; None for nothing.

    ISO 8601 and its kin, the way Go prints a time, and seconds or milliseconds since 1970.
    """
    text = text.strip()
    if not text:
        return None
    try:
        if text.isdecimal() and len(text) in (10, 13):
            return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
        go = _GO.fullmatch(text)
        found = datetime.fromisoformat(f"{go[1]}{go[2]}" if go else text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadValue(text, "this is no time; write it as 2026-01-31 or 2026-01-31T12:00:00Z") from None
