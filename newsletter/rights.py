"""What the desk may take from each source: a link, some words, or all of them until its licence ends."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from newsletter.sections import Section


class Policy(StrEnum):
    """What a source lets the desk take."""

    #: its address, and none of its words
    LINK_ONLY = "link-only"
    #: so many of its words
    EXCERPT = "excerpt"
    #: its words, as long as the licence runs
    LICENSED = "licensed"


class Right(Section):
    """A row of the desk's table: a source by its host, which stands for the hosts below it too, and its policy."""

    host: str = Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")
    policy: Policy
    words: int = Field(default=0, ge=0)
    until: date | None = None

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Refuse an excerpt of no length, and what says something that its policy does not ask."""
        if (self.policy is Policy.EXCERPT) != bool(self.words):
            raise ValueError('words goes with policy = "excerpt", and says how many may be taken')
        if self.until and self.policy is not Policy.LICENSED:
            raise ValueError('until goes with policy = "licensed", and says when the licence ends')
        return self


def of(rights: Sequence[Right], url: str) -> Right | None:
    """Return the row for a page, the one with the longest host where several fit; None where there is none."""
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # a bracket without its partner reads as half an IPv6 address
        return None
    fitting = [each for each in rights if host == each.host or host.endswith(f".{each.host}")]
    return max(fitting, key=lambda each: len(each.host), default=None)
