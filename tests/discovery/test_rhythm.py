"""When a feed is asked next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.discovery import rhythm
from newsletter.fetching import Cause

MONDAY = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def pace(**more: Any) -> timedelta:
    usual = {"every": 0, "gap": None, "validates": True, "unchanged": 0, "least": timedelta(0), "chance": 0.5}
    return rhythm.pace(**{**usual, **more})


@pytest.mark.parametrize(
    ("more", "hours"),
    [
        ({}, 1), ({"gap": 6 * 3600}, 3), ({"gap": 60}, 0.5), ({"gap": 30 * 86400}, 24), ({"every": 120}, 2),
        ({"validates": False}, 6), ({"validates": False, "unchanged": 3}, 24), ({"least": 5 * HOUR}, 5),
        ({"least": 500 * HOUR}, 24), ({"chance": 0.0}, 0.9), ({"chance": 1.0}, 1.1),
        ({"every": 60, "least": 2 * HOUR}, 2),
    ],
)  # fmt: skip
def test_a_feed_is_asked_at_its_own_pace_within_bounds(more: dict[str, Any], hours: float) -> None:
    assert pace(**more) == timedelta(hours=hours)


def test_the_usual_gap_is_the_median_and_needs_five_items() -> None:
    moments = [MONDAY + number * HOUR for number in (0, 1, 2, 3, 50)]
    assert rhythm.gap(moments) == 3600
    assert rhythm.gap(moments[1:]) is None
    assert rhythm.gap([MONDAY] * 30) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "public, max-age=600", "age": "100"}, 500),
        ({"cache-control": "max-age=10", "age": "60"}, 0),
        ({"expires": "Mon, 02 Nov 2026 10:00:00 GMT"}, 3600), ({"expires": "0"}, 0), ({}, 0),
        ({"expires": "Mon, 02 Nov 2026 10:00:00 GMT", "cache-control": "no-cache"}, 0),
        ({"cache-control": "max-age=9999999999999999"}, 10**8), ({"expires": "Sun, 01 Nov 2026 10:00:00 GMT"}, 0),
    ],
)  # fmt: skip
def test_an_answer_is_good_for_as_long_as_its_headers_say(headers: dict[str, str], seconds: int) -> None:
    assert rhythm.fresh(headers, MONDAY) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("value", "wish"),
    [("120", 120), ("Mon, 02 Nov 2026 09:10:00 GMT", 600), ("Mon, 02 Nov 2020 09:10:00 GMT", 0), ("soon", None)],
)
def test_retry_after_is_seconds_or_a_date(value: str, wish: int | None) -> None:
    found = rhythm.asked_to_wait({"retry-after": value}, MONDAY)
    assert found == (None if wish is None else timedelta(seconds=wish))


def test_failures_wait_longer_and_longer_but_never_over_two_days() -> None:
    def wait(failures: int, **more: Any) -> float:
        usual = {"cause": None, "wish": None, "dead": False, "chance": 0.5}
        return rhythm.patience(failures=failures, **{**usual, **more}) / HOUR

    assert [wait(number) for number in (1, 2, 3, 4, 5, 6, 90)] == [1, 2, 4, 8, 16, 24, 24]
    assert wait(1, cause=Cause.NAME) == wait(1, cause=Cause.CERTIFICATE) == wait(1, dead=True) == 24
    assert wait(9, wish=3 * HOUR) == 3
    assert wait(9, wish=300 * HOUR) == 48


def test_hours_and_days_that_the_publisher_leaves_out_are_left_out() -> None:
    assert rhythm.outside(MONDAY, {}) == MONDAY
    assert rhythm.outside(MONDAY, {"hours": [9, 10]}) == MONDAY + 2 * HOUR
    assert rhythm.outside(MONDAY, {"days": [0, 1]}) == datetime(2026, 11, 4, tzinfo=UTC)
    assert rhythm.outside(MONDAY, {"days": list(range(7))}) > MONDAY
