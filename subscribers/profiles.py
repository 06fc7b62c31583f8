"""Profiles: what somebody says about a person, checked, before it is anybody's row."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subscribers import addresses, words
from subscribers.addresses import Address
from subscribers.errors import BadValue
from subscribers.topics import word

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A person by address; what is empty says nothing about them."""

    address: Address
    name: str
    language: str
    country: str
    audience: str
    topics: tuple[str, ...]
    attributes: dict[str, str]


def check(
    email: str, *, name: str = "", language: str = "", country: str = "", audience: str = "",
    topics: Iterable[str] = (), attributes: Mapping[str, str] | None = None,
) -> Profile:  # fmt: skip
    """Return the profile, its codes in one spelling; raise BadAddress or BadValue for what cannot be kept."""
    return Profile(
        address=addresses.parse(email.strip(" \t")),
        name=words.line("a name", name, 200),
        language=_code("a language", language.lower(), _LANGUAGE, "en or pt-br", 20),
        country=_code("a country", country.upper(), _COUNTRY, "DE", 2),
        audience=words.line("an audience", audience, 80),
        topics=tuple(dict.fromkeys(word(topic) for topic in topics)),
        attributes=_attributes(attributes or {}),
    )


def _code(kind: str, text: str, pattern: re.Pattern[str], example: str, limit: int) -> str:
    text = text.strip(" \t")
    if text and (len(text) > limit or not pattern.fullmatch(text)):
        raise BadValue(text, f"{kind} is a code such as {example}")
    return text


def _attributes(given: Mapping[str, str]) -> dict[str, str]:
    # Text only: the two databases compare a JSON number with a text each in its own way.
    for name in given:
        if not name.isidentifier() or name != name.lower() or len(name) > 80:
            raise BadValue(name, "an attribute's name is letters, digits and underscores in lower case, such as plan")
    kept = {name: words.line(f"the attribute {name}", value, 2000) for name, value in given.items()}
    return {name: value for name, value in kept.items() if value}
