"""When something recurs: the words, and the moments in a zone with summer time."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from newsletter import recurrence

#: A Sunday.
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def moments(every: str, zone: str = "Europe/Berlin", *, after: datetime = START, count: int = 3) -> list[str]:
    found = islice(recurrence.parse(every, zone).moments(after), count)
    return [f"{each:%m-%d %H:%M}" for each in found]


@pytest.mark.parametrize(
    ("every", "said"),
    [
        ("Tuesday 07:00", ["11-03 06:00", "11-10 06:00", "11-17 06:00"]),
        ("monday,  THURSDAY 07:00", ["11-02 06:00", "11-05 06:00", "11-09 06:00"]),
        ("weekdays 23:30", ["11-02 22:30", "11-03 22:30", "11-04 22:30"]),
        ("day 13:00", ["11-02 12:00", "11-03 12:00", "11-04 12:00"]),
        ("day 13:01", ["11-01 12:01", "11-02 12:01", "11-03 12:01"]),
        ("month 1 07:00", ["12-01 06:00", "01-01 06:00", "02-01 06:00"]),
        ("month 31 07:00", ["11-30 06:00", "12-31 06:00", "01-31 06:00"]),
    ],
)
def test_the_words_say_moments(every: str, said: list[str]) -> None:
    assert moments(every) == said


def test_the_wall_clock_holds_through_the_nights_when_clocks_change() -> None:
    spring, autumn = datetime(2027, 3, 26, 12, tzinfo=UTC), datetime(2026, 10, 23, 12, tzinfo=UTC)
    assert moments("day 07:00", after=spring) == ["03-27 06:00", "03-28 05:00", "03-29 05:00"]
    assert moments("day 02:30", after=spring) == ["03-27 01:30", "03-28 01:30", "03-29 00:30"]  # 03:30 on the 28th
    assert moments("day 02:30", after=autumn) == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]  # once on the 25th
    assert moments("day 07:00", "Pacific/Kiritimati", after=spring, count=1) == ["03-26 17:00"]


@pytest.mark.parametrize("every", ["Tuesday 07:00", "weekdays 02:30", "day 00:00", "month 31 23:59"])
def test_the_last_moment_is_the_one_before_the_next(every: str) -> None:
    found = recurrence.parse(every, "Europe/Berlin")
    for each in islice(found.moments(datetime(2026, 9, 30, tzinfo=UTC)), 60):
        assert found.last(each) == each == found.last(each + timedelta(minutes=1))
        assert found.first(found.last(each - timedelta(seconds=1))) == each


@pytest.mark.parametrize(
    ("every", "zone", "said"),
    [
        ("* * * * *", "UTC", 'is no recurrence; write "Tuesday 07:00"'),
        ("Tuesday", "UTC", "is no recurrence"),
        ("Tuesdy 07:00", "UTC", "'tuesdy' is no weekday"),
        ("Tuesday 25:00", "UTC", "hour must be in 0..23"),
        ("month 0 07:00", "UTC", "a month has days 1 to 31"),
        ("day 07:00", "Europe/Berlim", "zone = 'Europe/Berlim' is no time zone"),
        ("day 07:00", "../etc/passwd", "is no time zone"),
    ],
)
def test_words_that_say_no_moment_are_refused(every: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recurrence.parse(every, zone)


def test_a_span_is_days_or_hours() -> None:
    assert (recurrence.span("7d"), recurrence.span("12h")) == (timedelta(days=7), timedelta(hours=12))
    with pytest.raises(ValueError, match="write it as 7d or 12h"):
        recurrence.span("7w")
