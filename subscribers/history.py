"""History: what has happened between the desk and its subscribers, asked of whoever keeps the record of it.

The audience keeps no record of mail. Who does says so once (`keep`), and conditions then ask by these words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select

#: Every fact that a condition may ask for, with what it means.
WORDS = {
    "received": "a copy was sent to them",
    "opened": "they displayed one",
    "clicked": "they followed a link in one",
    "bounced": "one came back",
    "complained": "they called one spam",
    "unsubscribed": "they left a list",
}


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Which of the facts are asked for: those of one issue, not before `since`, earlier than `until`."""

    issue: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whom a fact is known of: a query of subscriber numbers, none of them empty.

    `once` says that no number comes twice; `ordered`, that an index gives them in order; `wide`, that they may well be
    nearly everybody.
    """

    ids: Select[int]
    once: bool = False
    ordered: bool = False
    wide: bool = False


Fact = Callable[[Occasion], Known]
_keepers: list[Callable[[], Mapping[str, Fact]]] = []


def keep(facts: Callable[[], Mapping[str, Fact]]) -> None:
    """Let conditions ask for these facts, which are fetched when a condition is first read."""
    if facts not in _keepers:
        _keepers.append(facts)


def facts() -> dict[str, Fact]:
    """Return every fact that somebody keeps a record of."""
    return {name: fact for kept in _keepers for name, fact in kept().items()}
