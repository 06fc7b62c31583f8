"""Health: what is wrong with which feed, since when, and what helps. No feed ever stops without a word."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from newsletter.discovery import rhythm, verdicts
from newsletter.discovery.models import Feed, FeedState, Identity

#: A feed is silent when it brought nothing for so many times its usual gap, and at least so long.
SILENT, SILENT_FOR = 3, timedelta(hours=24)
#: A feed is late when nobody asked it so long after it was due.
LATE_FOR = timedelta(hours=24)


class Health(StrEnum):
    """How a feed does, the worst first."""

    #: it has failed for days or weeks; it is asked once a day
    DEAD = "dead"
    #: its server says that it will not come back
    GONE = "gone"
    #: it failed three times in a row or more
    DEGRADED = "degraded"
    #: it failed, and may work at the next poll
    FAILING = "failing"
    #: it has moved for good, and somebody must say that this is right
    MOVED = "moved"
    #: it answers, and has brought nothing for much longer than is usual
    SILENT = "silent"
    #: its documents are broken; what could be read of them was taken
    BROKEN = "broken"
    #: nobody has polled for a day
    LATE = "late"
    #: nobody has polled it yet
    NEW = "new"
    #: somebody paused it
    PAUSED = "paused"
    #: nothing is wrong
    FINE = "fine"


#: What calls for somebody; `feeds health` ends with 1 when any feed is so.
ALARMING = (
    Health.DEAD, Health.GONE, Health.DEGRADED, Health.MOVED, Health.SILENT, Health.BROKEN, Health.LATE,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Report:
    """How one feed does: what is wrong `since` when, why, and what helps."""

    feed: int
    name: str
    url: str
    health: Health
    since: datetime | None
    why: str
    next: str
    failures: int
    newest_at: datetime | None
    due_at: datetime | None
    identity: Identity


def all(session: Session, *, now: datetime) -> list[Report]:
    """Return how each feed does, the worst first."""
    query = select(Feed).where(Feed.state != FeedState.REMOVED).order_by(col(Feed.name), col(Feed.id))
    order = list(Health)
    return sorted((_report(feed, now) for feed in session.exec(query)), key=lambda report: order.index(report.health))


def _report(feed: Feed, now: datetime) -> Report:
    health, since, why, way_on = _judged(feed, now)
    assert feed.id is not None
    return Report(
        feed=feed.id, name=feed.name, url=feed.url, health=health, since=since, why=why, next=way_on,
        failures=feed.failures, newest_at=feed.newest_at, due_at=feed.due_at, identity=feed.identity,
    )  # fmt: skip


def _judged(feed: Feed, now: datetime) -> tuple[Health, datetime | None, str, str]:
    if feed.state is FeedState.GONE:
        return Health.GONE, feed.failing_since, feed.fault, f"newsletter feeds remove {feed.id}"
    if feed.state is FeedState.PAUSED:
        return Health.PAUSED, None, "", f"newsletter feeds edit {feed.id} --follow"
    if feed.failures:
        if verdicts.dead(feed, now):
            find = f"find its new address: newsletter feeds edit {feed.id} --url URL, or newsletter feeds remove"
            return Health.DEAD, feed.failing_since, feed.fault, f"{find} {feed.id}"
        worse = feed.failures >= verdicts.DEGRADED
        return Health.DEGRADED if worse else Health.FAILING, feed.failing_since, feed.fault, "it is asked again"
    if feed.polled_at is None and feed.read_at is None:
        return Health.NEW, feed.added_at, "", "newsletter feeds poll"
    return _quietly_wrong(feed, now)


def _quietly_wrong(feed: Feed, now: datetime) -> tuple[Health, datetime | None, str, str]:
    if feed.moved_to and feed.moved_hits >= verdicts.MOVED:
        way_on = f"see whether it is the same feed, then: newsletter feeds edit {feed.id} --url {feed.moved_to}"
        return Health.MOVED, feed.moved_since, f"it has moved for good to {feed.moved_to}", way_on
    if feed.degraded:
        return Health.BROKEN, feed.polled_at or feed.read_at, feed.degraded, "tell its publisher"
    silence = silent_since(feed, now)
    if silence and feed.gap is not None:
        usual = "usually something comes every " + _span(timedelta(seconds=feed.gap))
        return Health.SILENT, silence, usual, f"open {feed.site or feed.url}"
    if feed.due_at and now - feed.due_at > LATE_FOR and feed.polled_at:
        return Health.LATE, feed.due_at, "nobody has polled", "newsletter feeds poll, once a quarter of an hour by cron"
    return Health.FINE, None, "", ""


def silent_since(feed: Feed, now: datetime) -> datetime | None:
    """Return since when a feed has been silent, None while its silence is usual or nothing is usual yet."""
    if feed.newest_at is None or feed.gap is None:
        return None
    usual = max(SILENT * timedelta(seconds=feed.gap), SILENT_FOR, rhythm.USUAL)
    return feed.newest_at if now - feed.newest_at > usual else None


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} min"
