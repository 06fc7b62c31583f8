"""Feeds: the sources that a desk follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from newsletter.discovery import cleaning, clusters, items, parsing, rhythm
from newsletter.discovery.documents import LARGEST, Document
from newsletter.discovery.items import Stored
from newsletter.discovery.models import Feed, FeedState, ItemState, SourceItem
from newsletter.errors import BadInput, NotFound, Refused

__all__ = [
    "LARGEST",
    "FeedRead",
    "FeedView",
    "add",
    "all",
    "change",
    "due",
    "edit",
    "get",
    "move",
    "read",
    "remove",
    "take",
]

#: The longest that a desk may fix between two polls, in minutes.
_EVERY = range(30, 7 * 24 * 60 + 1)


@dataclass(frozen=True, kw_only=True)
class FeedRead:
    """What came of reading a document: the entries `found` are `new`, `already` known (or repeated), or `unusable`.

    `changed` are those already known that say something else now. `degraded` is what the parser complained of while it
    found entries all the same: there may be more of them.
    """

    feed: str
    found: int
    new: int
    already: int
    changed: int = 0
    unusable: int = 0
    degraded: str = ""


@dataclass(frozen=True, kw_only=True)
class FeedView:
    """A feed with the number of its items; `every` is the minutes that the desk fixed, 0 where its own pace decides."""

    id: int
    name: str
    url: str
    site: str
    state: FeedState
    items: int
    every: int
    added_at: datetime
    read_at: datetime | None
    polled_at: datetime | None
    due_at: datetime | None


def read(session: Session, data: bytes, *, url: str, name: str = "", now: datetime) -> FeedRead:
    """Store what is new in a feed's document; BadInput when it is none. Known items keep their state."""
    address = _address(url)
    document = parsing.shared().parse(data, url=address)
    feed = _at(session, address) or Feed(url=address, name="", added_at=now)
    stored = take(session, feed, document, name=name, now=now)
    called = feed.name
    session.flush()
    clusters.put(session, stored.new, now=now)
    return FeedRead(
        feed=called, found=stored.found, new=len(stored.new), already=stored.already, changed=stored.changed,
        unusable=stored.unusable, degraded=document.complaint,
    )  # fmt: skip


def take(session: Session, feed: Feed, document: Document, *, name: str = "", now: datetime) -> Stored:
    """Store what a feed's document says of the feed and of its items."""
    given = cleaning.plain(name, limit=200)
    host = urlsplit(feed.url).netloc
    change(
        feed, name=given or (feed.name if feed.name != host else "") or document.title or host,
        site=document.site or feed.site, hints=document.hints, degraded=document.complaint, read_at=now,
    )  # fmt: skip
    had_items = feed.newest_at is not None
    session.add(feed)
    if feed.id is None:
        session.flush()
    stored = items.store(session, feed, document, now=now)
    if stored.new:
        assert feed.id is not None
        moments = items.newest(session, feed.id, document, most=rhythm.NEWEST, now=now) or [now]
        feed.gap, feed.newest_at = rhythm.gap(moments), now if had_items else moments[0]
    return stored


def change(feed: Feed, **fields: Any) -> None:
    """Give a feed's fields other values; those that stay are not touched, which costs more than to look."""
    for name, value in fields.items():
        if getattr(feed, name) != value:
            setattr(feed, name, value)


def add(session: Session, url: str, *, name: str = "", every: int = 0, now: datetime) -> FeedView:
    """Follow a feed, which is due at once; Refused when it is followed already. One that was removed comes back."""
    address = _address(url)
    feed = _at(session, address)
    if feed and feed.state is not FeedState.REMOVED:
        raise Refused(f"{address} is followed already as {feed.name!r} ({feed.id}); see: newsletter feeds list")
    feed = feed or Feed(url=address, name=urlsplit(address).netloc, added_at=now)
    feed.name = cleaning.plain(name, limit=200) or feed.name
    feed.every = _minutes(every)
    _begin(feed, now)
    session.add(feed)
    session.flush()
    return _counted(session, feed)


def edit(session: Session, feed_id: int, *, now: datetime, **changes: Any) -> FeedView:
    """Change a feed's `name`, `url`, `every` or `state` (followed or paused); a new address starts a clean slate."""
    feed = _row(session, feed_id)
    if "name" in changes:
        feed.name = cleaning.plain(changes["name"], limit=200) or feed.name
    if "every" in changes:
        feed.every = _minutes(changes["every"])
    if "url" in changes:
        move(session, feed, changes["url"], now=now)
    if changes.get("state") is FeedState.PAUSED:
        feed.state = FeedState.PAUSED
    elif changes.get("state") is FeedState.FOLLOWED and feed.state is not FeedState.FOLLOWED:
        _begin(feed, now)
    session.flush()
    return _counted(session, feed)


def move(session: Session, feed: Feed, url: str, *, now: datetime) -> None:
    """Give a feed another address; what its old server said of its document does not count there."""
    address = _address(url)
    other = _at(session, address)
    if other and other.id != feed.id:
        raise Refused(
            f"{address} is followed already as {other.name!r} ({other.id}); remove one of the two: "
            f"newsletter feeds remove {feed.id}"
        )
    feed.url = address
    feed.etag = feed.last_modified = feed.body_sha256 = feed.moved_to = ""
    feed.moved_hits, feed.moved_since, feed.validates, feed.unchanged = 0, None, False, 0
    _begin(feed, now)


def _begin(feed: Feed, now: datetime) -> None:
    feed.state, feed.due_at = FeedState.FOLLOWED, now
    feed.failures, feed.failing_since, feed.status, feed.fault = 0, None, 0, ""


def remove(session: Session, feed_id: int, *, now: datetime) -> int:
    """Follow a feed no more; return how many of its items leave the inbox. What was used stays on record."""
    feed = _row(session, feed_id)
    feed.state, feed.due_at = FeedState.REMOVED, None
    waiting = col(SourceItem.state).in_([ItemState.NEW, ItemState.SNOOZED])
    gone = update(SourceItem).where(col(SourceItem.feed_id) == feed.id, waiting)
    return int(session.execute(gone.values(state=ItemState.EXPIRED, handled_at=now)).rowcount)  # type: ignore[attr-defined]


def all(session: Session) -> list[FeedView]:
    """Return the feeds by name, less those that were removed."""
    return [_view(feed, count) for feed, count in session.exec(_query().where(Feed.state != FeedState.REMOVED))]


def get(session: Session, feed_id: int) -> FeedView:
    """Return one feed."""
    return _counted(session, _row(session, feed_id))


def _query() -> Any:
    count = func.count(col(SourceItem.id))
    joined = select(Feed, count).outerjoin(SourceItem, col(SourceItem.feed_id) == Feed.id)
    return joined.group_by(col(Feed.id)).order_by(col(Feed.name), col(Feed.id))


def _counted(session: Session, feed: Feed) -> FeedView:
    return _view(*session.exec(_query().where(Feed.id == feed.id)).one())


def _row(session: Session, feed_id: int) -> Feed:
    feed = session.get(Feed, feed_id)
    if feed is None or feed.state is FeedState.REMOVED:
        raise NotFound(f"there is no feed {feed_id}; see them: newsletter feeds list")
    return feed


def _at(session: Session, url: str) -> Feed | None:
    return session.exec(select(Feed).where(Feed.url == url)).first()


def _address(url: str) -> str:
    address = cleaning.link(url)
    if not address:
        raise BadInput(f"{url!r} is no feed's address; give it as https://...")
    return address


def _minutes(every: int) -> int:
    if every and every not in _EVERY:
        raise BadInput(f"every {every} minutes is not offered; give {_EVERY[0]} to {_EVERY[-1]}, or 0 for its own pace")
    return every


def _view(feed: Feed, count: int) -> FeedView:
    assert feed.id is not None
    return FeedView(
        id=feed.id, name=feed.name, url=feed.url, site=feed.site, state=feed.state, items=count, every=feed.every,
        added_at=feed.added_at, read_at=feed.read_at, polled_at=feed.polled_at, due_at=feed.due_at,
    )  # fmt: skip


def due(session: Session, *, now: datetime, only: Iterable[int] | None = None) -> list[Feed]:
    """Return the feeds to poll, the longest due first; with `only`, those, due or not."""
    if only is not None:
        wanted = list(dict.fromkeys(only))
        found = {feed.id: feed for feed in session.exec(select(Feed).where(col(Feed.id).in_(wanted)))}
        return [found.get(feed_id) or _row(session, feed_id) for feed_id in wanted]
    query = select(Feed).where(Feed.state == FeedState.FOLLOWED).order_by(col(Feed.due_at), col(Feed.id))
    return [feed for feed in session.exec(query) if feed.due_at is None or feed.due_at <= now]
