"""Verdicts: what an answer means for a feed. Each is written down in the transaction that stores the items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.discovery import feeds, rhythm
from newsletter.discovery.documents import Document
from newsletter.discovery.items import Stored
from newsletter.discovery.models import Feed, FeedState
from newsletter.errors import Refused
from newsletter.fetching import Answer, Cause

#: Failures after which a feed is degraded; 404s over how long, and how long without any answer, make it dead.
DEGRADED, LOST, LOST_FOR, DEAD_FOR = 3, 5, timedelta(days=3), timedelta(days=14)
#: A permanent redirect is believed when it was met so often, over so long.
MOVED, MOVED_FOR = 3, timedelta(hours=24)
#: Who the record names for what a poll decides by itself.
POLL = "(poll)"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a worker brought from one feed: an answer, with the document that it held, or why there is neither."""

    feed: int
    url: str
    answer: Answer | None = None
    digest: str = ""
    document: Document | None = None
    cause: Cause | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Polled:
    """What came of polling one feed: its `new` items by number, how many `changed`, or what is wrong."""

    feed: int
    name: str
    status: int
    new: tuple[int, ...] = ()
    changed: int = 0
    fault: str = ""


def settle(session: Session, visits: Sequence[Visit], *, now: datetime, chance: Callable[[], float]) -> list[Polled]:
    """Store what visits brought, and when each feed is asked next; `chance` from 0 to 1 spreads the load."""
    wanted = select(Feed).where(col(Feed.id).in_([visit.feed for visit in visits])).order_by(col(Feed.id))
    found = {feed.id: feed for feed in session.exec(wanted.with_for_update())}
    made = []
    with session.no_autoflush:  # or every feed is written before the next is read
        for visit in visits:
            feed = found.get(visit.feed)
            if feed is None or feed.url != visit.url or feed.state is FeedState.REMOVED:
                feed, stored = None, Stored()  # somebody changed it meanwhile: the next poll asks anew
            else:
                stored = _settle(session, feed, visit, now=now, chance=chance())
            made.append((visit, feed, stored))
    session.flush()
    return [_polled(*each) for each in made]


def _settle(session: Session, feed: Feed, visit: Visit, *, now: datetime, chance: float) -> Stored:
    feed.polled_at = now
    fault = _fault(visit)
    if fault:
        _fail(session, feed, visit, fault, now=now, chance=chance)
        return Stored()
    return _succeed(session, feed, visit, now=now, chance=chance)


def _polled(visit: Visit, feed: Feed | None, stored: Stored) -> Polled:
    if feed is None:
        return Polled(feed=visit.feed, name="", status=0)
    status = visit.answer.status if visit.answer else 0
    return Polled(
        feed=visit.feed, name=feed.name, status=status, new=stored.new, changed=stored.changed, fault=feed.fault
    )


def _fault(visit: Visit) -> str:
    if visit.answer is None or visit.fault:
        return visit.fault
    return "" if visit.answer.status in (200, 304) else f"it answers {visit.answer.status}"


def _succeed(session: Session, feed: Feed, visit: Visit, *, now: datetime, chance: float) -> Stored:
    answer = visit.answer
    assert answer is not None
    stored = feeds.take(session, feed, visit.document, now=now) if visit.document else Stored()
    same = visit.document is None and answer.status == 200
    feeds.change(
        feed, failures=0, failing_since=None, status=answer.status, fault="",
        unchanged=feed.unchanged + 1 if same else 0,
        state=FeedState.FOLLOWED if feed.state is FeedState.GONE else feed.state,
    )  # fmt: skip
    _validators(feed, visit, answer)
    _follow(session, feed, answer, now=now)
    asked = timedelta(minutes=feed.hints.get("ttl", [0])[0])
    wait = rhythm.pace(
        every=feed.every, gap=feed.gap, validates=feed.validates, unchanged=feed.unchanged,
        least=max(rhythm.fresh(answer.headers, now), asked), chance=chance,
    )  # fmt: skip
    feed.due_at = rhythm.outside(now + wait, feed.hints)
    return stored


def _validators(feed: Feed, visit: Visit, answer: Answer) -> None:
    """Keep what the server says of the document that is stored; of one that was cut off, keep nothing."""
    if visit.document and visit.document.complaint:
        feeds.change(feed, etag="", last_modified="", body_sha256="")
        return
    etag, last_modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    anew = answer.status == 200  # what was said of an older document does not count for this one
    kept = ("", "") if anew else (feed.etag, feed.last_modified)
    feeds.change(
        feed, body_sha256=visit.digest if anew else feed.body_sha256,
        etag=etag if _kept(etag, 1000) else kept[0],
        last_modified=last_modified if _kept(last_modified, 200) else kept[1],
    )  # fmt: skip
    feeds.change(feed, validates=feed.validates or bool(feed.etag or feed.last_modified))


def _kept(value: str, longest: int) -> bool:
    return 0 < len(value) <= longest and value.isprintable()


def _fail(session: Session, feed: Feed, visit: Visit, fault: str, *, now: datetime, chance: float) -> None:
    answer = visit.answer
    feed.failures += 1
    feed.failing_since = feed.failing_since or now
    feed.status = answer.status if answer else 0
    feed.fault = fault[:500]
    if answer and answer.status == 200:  # a document that cannot be read must be sent whole again
        feed.etag = feed.last_modified = feed.body_sha256 = ""
    if answer and answer.status == 410:
        feed.state, feed.due_at = FeedState.GONE, None
        audit.append(session, "gone", actor=POLL, kind="feed", name=feed.name[:120], now=now, feed=feed.id)
        return
    wish = rhythm.asked_to_wait(answer.headers, now) if answer and answer.status in (429, 503) else None
    wait = rhythm.patience(failures=feed.failures, cause=visit.cause, wish=wish, dead=dead(feed, now), chance=chance)
    feed.due_at = now + wait


def dead(feed: Feed, now: datetime) -> bool:
    """Return whether a feed has failed for so long that somebody must look; it is still asked once a day."""
    failing = now - feed.failing_since if feed.failing_since else timedelta(0)
    lost = feed.status == 404 and feed.failures >= LOST and failing >= LOST_FOR
    return lost or failing >= DEAD_FOR


def _follow(session: Session, feed: Feed, answer: Answer, *, now: datetime) -> None:
    """Believe a permanent redirect late: another host only when somebody says so (`feeds edit --url`)."""
    target = answer.moved_to
    if target != feed.moved_to:
        feed.moved_to, feed.moved_hits, feed.moved_since = target[:2000], 0, now if target else None
    if not target:
        return
    feed.moved_hits += 1
    sure = feed.moved_hits >= MOVED and feed.moved_since and now - feed.moved_since >= MOVED_FOR
    if not sure or _host(target) != _host(feed.url):
        return
    old, etag, last_modified, digest = feed.url, feed.etag, feed.last_modified, feed.body_sha256
    validates, unchanged = feed.validates, feed.unchanged
    try:
        feeds.move(session, feed, target, now=now)
    except Refused:
        return  # `feeds health` tells of it: another feed has that address
    # The document came from there: what was said of it holds.
    feed.etag, feed.last_modified, feed.body_sha256 = etag, last_modified, digest
    feed.validates, feed.unchanged = validates, unchanged
    audit.append(
        session, "moved", actor=POLL, kind="feed", name=feed.name[:120], now=now, feed=feed.id, old=old, new=target
    )


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower().removeprefix("www.")
