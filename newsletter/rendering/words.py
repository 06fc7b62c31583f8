"""The fixed words of mail, in the publication's language where its catalogue is there, else in English."""

import datetime
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from newsletter.errors import TemplateError

#: The language whose words stand in for those that nobody has written.
FALLBACK = "en"
#: Where a sentence takes a value.
HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of one language; a name in braces is where a template puts a value of its own."""

    #: the language's code, which the mail declares where it differs from the publication's
    language: str
    view_online: str
    issue: str
    key_points: str
    why_it_matters: str
    buyer_relevance: str
    read_on: str
    related: str
    sources: str
    original: str
    reports: str
    standards: str
    because: str
    preferences: str
    unsubscribe: str
    feedback: str
    date: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    labels: Mapping[str, str]
    #: whether they are those of the publication's own language
    own: bool = True

    @property
    def tongue(self) -> Markup:
        """Return the attributes that declare the language of the words, empty where it is the publication's."""
        return Markup("") if self.own else Markup(f' lang="{self.language}" dir="ltr"')

    @property
    def english(self) -> bool:
        """Return whether the publication's language is English, as the words are that come with an item."""
        return self.own and self.language == FALLBACK

    def label(self, label: str) -> str:
        """Return what the words have for a label of an item, which is the label itself where they have none."""
        return self.labels.get(label.lower(), label)

    def day(self, date: datetime.date) -> str:
        """Return a day in words."""
        weekday, month = self.weekdays[date.weekday()], self.months[date.month - 1]
        return fill(self.date, weekday=weekday, day=date.day, month=month, year=date.year)


def of(language: str, folders: Sequence[Path]) -> Words:
    """Return the words of a language: the catalogue of its first subtag in `shared/words`, else the English one."""
    first = language.lower().split("-")[0]
    for code in (first, FALLBACK):
        for folder in folders:
            path = folder / "shared" / "words" / f"{code}.toml"
            if re.fullmatch(r"[a-z]{2,8}", code) and path.is_file():
                return _read(str(path), path.stat().st_mtime_ns, code, code == first)
    raise TemplateError("there is no catalogue shared/words/en.toml; install the program again")


def fill(sentence: str, **values: object) -> str:
    """Return a sentence of the catalogue with the values in its braces; markup where a value is markup."""
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(HOLE.sub(lambda hole: str(escape(values[hole[1]])), str(escape(sentence))))
    return HOLE.sub(lambda hole: str(values[hole[1]]), sentence)


@lru_cache(maxsize=32)
def _read(path: str, written: int, code: str, own: bool) -> Words:
    """Return a catalogue; `written` is when, so that a changed file is read again."""
    try:
        said = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TemplateError(f"{path}: {error}; mend the catalogue") from error
    wanted = {field.name for field in fields(Words)} - {"language", "own"}
    if wrong := sorted(wanted ^ set(said)):
        raise TemplateError(f"{path}: {', '.join(wrong)} is missing or unknown there; its keys are those of en.toml")
    return Words(**{key: _typed(value) for key, value in said.items()}, language=code, own=own)


def _typed(value: Any) -> Any:
    return tuple(map(str, value)) if isinstance(value, list) else value if isinstance(value, dict) else str(value)
