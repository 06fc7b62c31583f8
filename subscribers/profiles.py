"""Profiles: what somebody says about a person, checked, before it is anybody's row."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from subscribers import addresses, attributes, words
from subscribers.addresses import Address
from subscribers.attributes import Value
from subscribers.errors import BadValue
from subscribers.models import AttributeType, Frequency
from subscribers.topics import word

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*")
_NOTHING: Mapping[str, AttributeType] = {}


class Profile(NamedTuple):
    """A person by address; what is empty says nothing about them."""

    address: Address
    name: str
    language: str
    country: str
    audience: str
    frequency: Frequency | None
    topics: tuple[str, ...]
    attributes: dict[str, Value]


def check(
    email: str, *, name: str = "", language: str = "", country: str = "", audience: str = "", frequency: str = "",
    topics: Iterable[str] = (), attributes: Mapping[str, str] | None = None,
    declared: Mapping[str, AttributeType] = _NOTHING,
) -> Profile:  # fmt: skip
    """Return the profile, its codes in one spelling; raise BadAddress or BadValue for what cannot be kept.

    Of attributes only those may be given that are `declared`.
    """
    return Profile(
        address=addresses.parse(email.strip(" \t")), name=full_name(name), language=language_code(language),
        country=country_code(country), audience=audience_word(audience), frequency=how_often(frequency),
        topics=tuple(dict.fromkeys(map(word, topics))), attributes=_typed(attributes or {}, declared),
    )  # fmt: skip


def full_name(text: str) -> str:
    """Return a person's name in one line."""
    return words.line("a name", text, 200)


@lru_cache(maxsize=1000)
def language_code(text: str) -> str:
    """Return a language's code in lower case, such as en or pt-br; empty for none."""
    return _code("a language", text.lower().replace("_", "-"), _LANGUAGE, "en or pt-br", 20)


@lru_cache(maxsize=1000)
def country_code(text: str) -> str:
    """Return a country's two letters in upper case, such as DE; empty for none."""
    return _code("a country", text.upper(), _COUNTRY, "DE", 2)


@lru_cache(maxsize=1000)
def audience_word(text: str) -> str:
    """Return the word for a person's role among the readers; empty for none."""
    return words.line("an audience", text, 80)


@lru_cache(maxsize=1000)
def how_often(text: str) -> Frequency | None:
    """Return how often a person wants to hear from a list, None when nothing says so."""
    text = text.strip(" \t").lower().replace("_", " ")
    if text and text not in list(Frequency):
        raise BadValue(text, f"a frequency is one of: {', '.join(Frequency)}")
    return Frequency(text) if text else None


def _code(kind: str, text: str, pattern: re.Pattern[str], example: str, limit: int) -> str:
    text = text.strip(" \t")
    if text and (len(text) > limit or not pattern.fullmatch(text)):
        raise BadValue(text, f"{kind} is a code such as {example}")
    return text


def _typed(given: Mapping[str, str], declared: Mapping[str, AttributeType]) -> dict[str, Value]:
    for name in given:
        if name not in declared:
            raise attributes.unknown(name, declared)
    return {name: attributes.read(name, declared[name], text) for name, text in given.items() if text.strip(" \t")}
