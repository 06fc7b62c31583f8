"""Items: what a document brings, stored once, with what it said before it was edited."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from newsletter.discovery import cleaning, identity
from newsletter.discovery.documents import Document, Entry
from newsletter.discovery.models import Feed, SourceItem, SourceRevision

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What came of a document's entries: the `new` by number; the `changed` are known, and say something else now."""

    found: int = 0
    new: tuple[int, ...] = ()
    already: int = 0
    changed: int = 0
    unusable: int = 0


@dataclass(frozen=True, kw_only=True)
class Before:
    """What an item said before its publisher edited it, and when that was noticed."""

    number: int
    url: str
    title: str
    summary: str
    replaced_at: datetime


def store(session: Session, feed: Feed, document: Document, *, now: datetime) -> Stored:
    """Store what is new and what has changed; the feed must have an id. Known items keep their state."""
    assert feed.id is not None
    usable = [entry for entry in dict.fromkeys(document.entries) if entry.title or entry.url]
    _know(session, feed, usable)
    entries = identity.keys(feed.identity, usable)
    known = _known(session, feed.id, entries)
    fresh = [_item(feed.id, key, entry, now) for key, entry in entries.items() if key not in known]
    changed = sum(_revise(session, known[key], entries[key], now) for key in known)
    session.add_all(fresh)
    session.flush()
    unusable = sum(1 for entry in document.entries if not (entry.title or entry.url))
    found = len(document.entries)
    made = tuple(item.id for item in fresh if item.id is not None)
    return Stored(found=found, new=made, already=found - len(fresh) - unusable, changed=changed, unusable=unusable)


def _know(session: Session, feed: Feed, entries: Sequence[Entry]) -> None:
    """Give the feed, and its stored items, another identity when its entries cannot be told apart by the one it has."""
    way = identity.fitting(feed.identity, entries) if entries else feed.identity
    if way is feed.identity:
        return
    feed.identity = way
    stored = session.exec(select(SourceItem).where(SourceItem.feed_id == feed.id).order_by(col(SourceItem.id))).all()
    taken = {item.identity for item in stored}
    for item in stored:
        key = identity.of_stored(way, item)
        if key not in taken:
            taken.add(key)
            item.identity = key
    session.flush()


def _known(session: Session, feed_id: int, entries: dict[str, Entry]) -> dict[str, SourceItem]:
    """Return the stored items by the keys of the entries that they are.

    An entry with an unknown id, but the address and title of a known item, is that item under a new id: some
    publishers give all their entries new ids when they move.
    """
    here = select(SourceItem).where(SourceItem.feed_id == feed_id)
    known = {item.identity: item for item in session.exec(here.where(col(SourceItem.identity).in_(list(entries))))}
    strange = {key: entry for key, entry in entries.items() if key not in known and entry.url}
    if not strange:
        return known
    pages = {cleaning.canonical(entry.url) for entry in strange.values()}
    there = session.exec(here.where(col(SourceItem.canonical).in_(pages))).all()
    matched = {item.id for item in known.values()}
    free = {(item.canonical, item.title): item for item in there if item.id not in matched}
    for key, entry in strange.items():
        same = free.pop((cleaning.canonical(entry.url), _title(entry)), None)
        if same:
            same.identity = key
            known[key] = same
    return known


def _item(feed_id: int, key: str, entry: Entry, now: datetime) -> SourceItem:
    return SourceItem(
        feed_id=feed_id, identity=key, url=entry.url, canonical=cleaning.canonical(entry.url), title=_title(entry),
        summary=entry.summary, published=sane(entry.published, now), published_as_given=entry.published_as_given,
        upstream_name=entry.upstream_name, upstream_url=entry.upstream_url, found_at=now,
    )  # fmt: skip


def _title(entry: Entry) -> str:
    return entry.title or entry.url[:500]


def _revise(session: Session, item: SourceItem, entry: Entry, now: datetime) -> bool:
    """Let an item say what its entry says now, and keep what it said before; return whether that differs."""
    said = (item.url, item.title, item.summary)
    says = (entry.url, _title(entry), entry.summary)
    if said == says:
        return False
    assert item.id is not None
    session.add(
        SourceRevision(
            item_id=item.id, number=item.revision, url=said[0], title=said[1], summary=said[2], replaced_at=now
        )
    )
    item.url, item.title, item.summary = says
    item.canonical = cleaning.canonical(entry.url)
    item.revision += 1
    item.changed_at = now
    return True


def sane(moment: datetime | None, now: datetime) -> datetime | None:
    """Return a date that can be: feeds give their own clock's future, and numbers that read as the year 1767."""
    if moment is None or moment < _EARLIEST:
        return None
    return min(moment, now)


def revisions(session: Session, item_id: int) -> list[Before]:
    """Return what an item said before, oldest first."""
    query = select(SourceRevision).where(SourceRevision.item_id == item_id).order_by(col(SourceRevision.number))
    return [
        Before(number=row.number, url=row.url, title=row.title, summary=row.summary, replaced_at=row.replaced_at)
        for row in session.exec(query)
    ]


def newest(session: Session, feed_id: int, *, most: int) -> Iterable[datetime]:
    """Return when the newest items of a feed were published, or found where it does not say."""
    when = select(SourceItem.published, SourceItem.found_at)
    query = when.where(SourceItem.feed_id == feed_id).order_by(col(SourceItem.id).desc()).limit(4 * most)
    return sorted((published or found for published, found in session.exec(query)), reverse=True)[:most]
