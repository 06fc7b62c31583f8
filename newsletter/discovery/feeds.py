"""Feeds: an RSS or Atom document that lies before us, read into source items. Nothing is fetched here."""

import calendar
import hashlib
import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import feedparser
from sqlalchemy import func
from sqlmodel import Session, col, select

from newsletter.discovery import cleaning
from newsletter.discovery.models import Feed, SourceItem
from newsletter.errors import BadInput

#: The largest document, in bytes, and the most entries that are looked at: the newest stand first.
LARGEST, MOST = 8 * 1024 * 1024, 500
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class FeedRead:
    """What came of reading a document: the entries `found` are `new`, `already` known (or repeated), or `unusable`.

    `degraded` is what the parser complained of while it found entries all the same: there may be more of them.
    """

    feed: str
    found: int
    new: int
    already: int
    unusable: int = 0
    degraded: str = ""


@dataclass(frozen=True, kw_only=True)
class FeedView:
    """A feed with the number of its items."""

    id: int
    name: str
    url: str
    items: int
    added_at: datetime
    read_at: datetime | None


def read(session: Session, data: bytes, *, url: str, name: str = "", now: datetime) -> FeedRead:
    """Store what is new in a feed's document; BadInput when it is none. Known items stay as they are."""
    address = cleaning.link(url)
    if not address:
        raise BadInput(f"{url!r} is no feed's address; give it as https://...")
    parsed = _parse(data, address)
    feed = _feed(session, address, name, parsed, now)
    entries = parsed.entries[:MOST]
    items, unusable = _items(entries, now)
    assert feed.id is not None
    known = set(session.exec(select(SourceItem.identity).where(SourceItem.feed_id == feed.id)))
    fresh = [item for identity, item in items.items() if identity not in known]
    for item in fresh:
        item.feed_id = feed.id
        session.add(item)
    session.flush()
    return FeedRead(
        feed=feed.name, found=len(entries), new=len(fresh), already=len(entries) - len(fresh) - unusable,
        unusable=unusable, degraded=_complaint(parsed),
    )  # fmt: skip


def all(session: Session) -> list[FeedView]:
    """Return the feeds by name."""
    query = (
        select(Feed, func.count(col(SourceItem.id)))
        .outerjoin(SourceItem, col(SourceItem.feed_id) == Feed.id)
        .group_by(col(Feed.id)).order_by(col(Feed.name), col(Feed.id))
    )  # fmt: skip
    return [_view(feed, items) for feed, items in session.exec(query)]


def _view(feed: Feed, items: int) -> FeedView:
    assert feed.id is not None
    return FeedView(id=feed.id, name=feed.name, url=feed.url, items=items, added_at=feed.added_at, read_at=feed.read_at)


def _parse(data: bytes, url: str) -> Any:
    if len(data) > LARGEST:
        raise BadInput(f"{url}: the document has {len(data)} bytes and may have {LARGEST}; take a shorter feed")
    # A stream, because feedparser opens bytes that look like a path or an address instead of parsing them.
    parsed = feedparser.parse(io.BytesIO(data), response_headers={"content-location": url})
    if not parsed.get("version"):
        raise BadInput(f"{url}: the document is no RSS or Atom feed; give the feed itself, not the page about it")
    return parsed


def _complaint(parsed: Any) -> str:
    """Return what is wrong with a document that was read all the same; a guessed encoding is no fault."""
    error = parsed.get("bozo_exception") if parsed.bozo else None
    harmless = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)
    return "" if error is None or isinstance(error, harmless) else " ".join(str(error).split())[:500]


def _feed(session: Session, url: str, name: str, parsed: Any, now: datetime) -> Feed:
    feed = session.exec(select(Feed).where(Feed.url == url)).first()
    given = cleaning.plain(name, limit=200)
    if feed is None:
        title = cleaning.plain(parsed.feed.get("title", ""), limit=200)
        feed = Feed(url=url, name=given or title or urlsplit(url).netloc, added_at=now)
    elif given:
        feed.name = given
    feed.read_at = now
    session.add(feed)
    session.flush()
    return feed


def _items(entries: list[Any], now: datetime) -> tuple[dict[str, SourceItem], int]:
    """Return the items by identity, and how many entries have neither a title nor a link."""
    made = [item for item in (_item(entry, now) for entry in entries) if item]
    stories = Counter(identity for identity, _ in {(item.identity, item.url or item.title) for item in made})
    found: dict[str, SourceItem] = {}
    for item in made:
        if stories[item.identity] > 1:  # some feeds give one id to all their entries
            item.identity = _short(f"{item.identity}|{item.url or item.title}")
        found.setdefault(item.identity, item)
    return found, len(entries) - len(made)


def _item(entry: Any, now: datetime) -> SourceItem | None:
    url = cleaning.link(entry.get("link", ""))
    title = cleaning.plain(entry.get("title", ""), limit=500)
    if not url and not title:
        return None
    raw, moment = _published(entry)
    return SourceItem(
        feed_id=0,
        identity=_short(cleaning.plain(entry.get("id", ""), limit=20_000) or url or title),
        url=url,
        title=title or url[:500],
        summary=cleaning.plain(entry.get("summary", ""), limit=20_000),
        published=_sane(moment, now),
        published_as_given=cleaning.plain(raw, limit=100),
        found_at=now,
    )


def _short(identity: str) -> str:
    return identity if len(identity) <= 2000 else hashlib.sha256(identity.encode()).hexdigest()


def _published(entry: Any) -> tuple[str, datetime | None]:
    # `in`, because feedparser's mapping answers for `updated` with the date of publication.
    for name in ("published", "updated"):
        if name in entry:
            return str(entry[name]), _moment(entry.get(f"{name}_parsed"))
    return "", None


def _moment(parts: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC) if parts else None
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None


def _sane(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a date that can be: feeds give their own clock's future, and numbers that read as the year 1767."""
    if moment is None or moment < _EARLIEST:
        return None
    return min(moment, now)
