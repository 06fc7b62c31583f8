"""The settings of issues that recur: when each is made, for which list, of what, and what becomes of it then."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from newsletter import recurrence
from newsletter.recurrence import Recurrence
from newsletter.sections import Section


class Recurring(Section):
    """One [[schedule]]: an issue that is composed and frozen by itself, again and again."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    #: days and a time: "Tuesday 07:00", "weekdays 07:00", "day 07:00", "month 1 07:00"
    every: str
    #: where that time is, such as Europe/Berlin
    zone: str
    #: how long before its time it is composed, so that somebody can clear it: 2h, 1d
    ahead: str = ""
    #: the list that it is for
    list: str = Field(min_length=1, max_length=63)
    #: in whose name it is composed, and sent
    person: str = Field(min_length=1, max_length=80)
    #: what it takes of what waits, as `newsletter compose` has it
    topic: str = ""
    since: str = ""
    limit: int = Field(default=0, ge=0)
    per_topic: int = Field(default=0, ge=0)
    max_minutes: int = Field(default=12, ge=0)
    #: `hold`: it waits for somebody to send it; `send`: it goes out at its time, when somebody has cleared it
    then: Literal["hold", "send"] = "hold"

    @model_validator(mode="after")
    def sound(self) -> Self:
        """Refuse words that say no moment or no span of time."""
        recurrence.parse(self.every, self.zone)
        for name, value in (("ahead", self.ahead), ("since", self.since)):
            try:
                _span(value)
            except ValueError as error:
                raise ValueError(f"{name} = {error}") from error
        return self

    @property
    def recurrence(self) -> Recurrence:
        """Return its moments."""
        return recurrence.parse(self.every, self.zone)

    @property
    def earlier(self) -> timedelta:
        """Return how long before its time it is composed."""
        return _span(self.ahead) or timedelta()

    @property
    def span(self) -> timedelta | None:
        """Return how old what it takes may be, None where that does not matter."""
        return _span(self.since)


def _span(text: str) -> timedelta | None:
    return recurrence.span(text) if text else None
