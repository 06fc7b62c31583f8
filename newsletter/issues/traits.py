"""What a copy may depend on: what the desk knows of its reader, and of the list that brings it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from subscribers.attributes import Value


class Traits(NamedTuple):
    """One reader as an issue may ask about them; what is not known is empty.

    `segments` are those of the asked ones that the reader is in.
    """

    email: str = ""
    name: str = ""
    language: str = ""
    country: str = ""
    audience: str = ""
    topics: tuple[str, ...] = ()
    attributes: Mapping[str, Value] = MappingProxyType({})
    segments: frozenset[str] = frozenset()
    list_name: str = ""
    list_title: str = ""


#: A reader of whom nothing is known.
NOBODY = Traits()
