"""What the names at the desk are made of: briefings, topics, people, languages."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A pattern with its limits; `str` says them to a person."""

    pattern: str
    made_of: str
    shortest: int
    longest: int

    def fits(self, name: str) -> bool:
        """Tell whether the name has this shape."""
        return self.shortest <= len(name) <= self.longest and re.fullmatch(self.pattern, name) is not None

    def __str__(self) -> str:
        return f"{self.shortest} to {self.longest} characters: {self.made_of}"


_HYPHENATED = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
#: The stable word of a briefing, which is also its file's name and its page's address.
BRIEFING = Shape(_HYPHENATED, "small letters a-z, digits, and hyphens inside", 3, 80)
#: A topic or an audience.
TOPIC = Shape(_HYPHENATED, "small letters a-z, digits, and hyphens inside", 1, 63)
#: The short name of a person.
HANDLE = Shape(r"[a-z0-9][a-z0-9._-]*", "small letters a-z, digits, dots, hyphens and underscores", 1, 80)
#: Stands in the record for whoever edited a file that the desk came upon; nobody can be called so.
UNSEEN = "(somebody)"
#: A language tag (RFC 5646).
LANGUAGE = Shape(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", "a language tag such as en or zh-Hans", 2, 35)
