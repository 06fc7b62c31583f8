"""Rhythm: when a feed is asked next. Its own pace decides, its publisher's wishes are the least, faults slow down."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from statistics import median

from newsletter.fetching import Cause

USUAL, LEAST, MOST = timedelta(hours=1), timedelta(minutes=30), timedelta(hours=24)
#: A server whose answers carry no validators sends everything each time, so it is asked less often.
UNCONDITIONAL, STALE = timedelta(hours=6), 3
LONGEST_WISH = timedelta(hours=48)
#: Items that must have come before there is a usual gap, and how many of the newest it is taken from.
FEWEST, NEWEST = 5, 20


def gap(moments: Sequence[datetime]) -> int | None:
    """Return the seconds that usually lie between two items, None when too few have come to tell."""
    newest = sorted(set(moments))[-NEWEST:]  # what came in one poll without dates tells nothing
    if len(newest) < FEWEST:
        return None
    return int(median((later - earlier).total_seconds() for earlier, later in pairwise(newest)))


def pace(*, every: int, gap: int | None, validates: bool, unchanged: int, least: timedelta, chance: float) -> timedelta:
    """Return how long to wait after a good answer: half the usual gap, within bounds, a tenth more or less by chance.

    `every` is minutes that the desk fixed, `least` what the publisher asked for.
    """
    wait = timedelta(minutes=every) if every else USUAL if gap is None else timedelta(seconds=gap / 2)
    if not validates:
        wait = max(wait, MOST if unchanged >= STALE else UNCONDITIONAL)
    wait = min(max(wait, LEAST), MOST) * (0.9 + 0.2 * chance)
    return max(wait, min(least, MOST))


def patience(*, failures: int, cause: Cause | None, wish: timedelta | None, dead: bool, chance: float) -> timedelta:
    """Return how long to wait after a failure: 1, 2, 4 ... 24 hours, a day where waiting mends little, or as asked."""
    if wish is not None:
        return min(max(wish, LEAST), LONGEST_WISH)
    slow = dead or cause in (Cause.NAME, Cause.CERTIFICATE)
    hours = 24 if slow else min(24, 2 ** min(failures - 1, 5))
    return timedelta(hours=hours) * (0.9 + 0.2 * chance)


def asked_to_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return what a Retry-After header asks for, in seconds or as a date (RFC 9110 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return timedelta(seconds=min(int(value[:9]), 10**8))
    moment = _date(value)
    return max(moment - now, timedelta(0)) if moment else None


def fresh(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Return how long the answer is good for (RFC 9111 4.2): max-age less its age, else until it expires."""
    words = [word.strip().lower() for word in headers.get("cache-control", "").split(",")]
    ages = [word[8:].strip('"') for word in words if word.startswith("max-age=")]
    if ages and ages[0].isdecimal():
        age = headers.get("age", "").strip()
        return timedelta(seconds=max(0, min(int(ages[0][:9]), 10**8) - (int(age[:9]) if age.isdecimal() else 0)))
    expires = _date(headers.get("expires", ""))
    return max(expires - now, timedelta(0)) if expires and not {"no-cache", "no-store"} & set(words) else timedelta(0)


def _date(text: str) -> datetime | None:
    try:
        made = parsedate_to_datetime(text)
        return made if made.tzinfo else made.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def outside(moment: datetime, hints: Mapping[str, Sequence[int]]) -> datetime:
    """Return the first moment from this one on that lies in none of the hours and days the publisher left out."""
    hours, days = set(hints.get("hours", ())), set(hints.get("days", ()))
    for _ in range(24 * 8):
        if moment.hour not in hours and moment.weekday() not in days:
            return moment
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return moment  # every hour is left out; nobody can mean that
