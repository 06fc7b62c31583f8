"""Recurrence: when something comes again, in words such as `Tuesday 07:00`, as moments that are right in their zone.

`every` is days and a time: `day`, `weekdays`, weekdays by name with commas between them, or `month 1` for the first of
each month (a month that is shorter has it on its last day). The time is one of wall clocks: 02:30 in a night that
leaves it out comes at 03:30, and in one that has it twice at the first of the two (PEP 495).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RULE = re.compile(r"(?P<days>day|weekdays|month \d{1,2}|[a-z]+(?: *, *[a-z]+)*) (?P<time>\d{2}:\d{2})")
_SPAN = re.compile(r"(\d{1,4})([dh])")
_EXAMPLE = '"Tuesday 07:00", "Monday, Thursday 07:00", "weekdays 07:00", "day 07:00" or "month 1 07:00"'


@dataclass(frozen=True)
class Recurrence:
    """Days and a time of day in a zone; of `weekdays`, counted from Monday as 0, and `day` of the month one holds."""

    weekdays: frozenset[int]
    day: int
    time: time
    zone: ZoneInfo

    def first(self, after: datetime) -> datetime:
        """Return the first moment after that one, in UTC."""
        return next(self.moments(after))

    def last(self, until: datetime) -> datetime:
        """Return the last moment that is not after that one, in UTC."""
        since = until - timedelta(days=32)  # everything comes at least once a month
        *_, newest = (each for each in self._days(since, until + timedelta(days=1)) if each <= until)
        return newest

    def moments(self, after: datetime) -> Iterator[datetime]:
        """Yield the moments after that one, in UTC, without end."""
        return (each for each in self._days(after - timedelta(days=1), None) if each > after)

    def _days(self, since: datetime, until: datetime | None) -> Iterator[datetime]:
        today = since.astimezone(self.zone).date()
        while until is None or today <= until.astimezone(self.zone).date():
            if self._holds(today):
                yield self._at(today)
            today += timedelta(days=1)

    def _holds(self, today: date) -> bool:
        if self.day:
            ends = (today + timedelta(days=1)).day == 1
            return today.day == self.day or (ends and self.day > today.day)
        return today.weekday() in self.weekdays

    def _at(self, today: date) -> datetime:
        return datetime.combine(today, self.time, self.zone).astimezone(UTC)


def parse(every: str, zone: str) -> Recurrence:
    """Return what the words say; ValueError says what is wrong with them."""
    found = _RULE.fullmatch(" ".join(every.lower().split()))
    if not found:
        raise ValueError(f"every = {every!r} is no recurrence; write {_EXAMPLE}")
    try:
        at = time.fromisoformat(found["time"])
    except ValueError as error:
        raise ValueError(f"every = {every!r}: {error}; write {_EXAMPLE}") from error
    try:
        place = ZoneInfo(zone)
    except (LookupError, ValueError, OSError) as error:  # not there, not a name, a folder
        raise ValueError(f"zone = {zone!r} is no time zone; write one such as Europe/Berlin") from error
    days = found["days"]
    if days.startswith("month"):
        day = int(days.split()[1])
        if not 1 <= day <= 31:
            raise ValueError(f"every = {every!r}: a month has days 1 to 31")
        return Recurrence(frozenset(), day, at, place)
    return Recurrence(_weekdays(days, every), 0, at, place)


def _weekdays(days: str, every: str) -> frozenset[int]:
    whole = {"day": range(7), "weekdays": range(5)}
    if days in whole:
        return frozenset(whole[days])
    names = [name.strip() for name in days.split(",")]
    if wrong := [name for name in names if name not in WEEKDAYS]:
        raise ValueError(f"every = {every!r}: {wrong[0]!r} is no weekday; write {_EXAMPLE}")
    return frozenset(WEEKDAYS.index(name) for name in names)


def span(text: str) -> timedelta:
    """Return a span of time that is written as 7d or 12h; ValueError for any other."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no span of time; write it as 7d or 12h")
    return timedelta(days=int(found[1])) if found[2] == "d" else timedelta(hours=int(found[1]))
