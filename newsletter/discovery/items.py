"""Items: what a document brings, stored once, with what it said before it was edited."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select, update

from newsletter.discovery import cleaning, identity
from newsletter.discovery.documents import Document, Entry
from newsletter.discovery.models import Feed, SourceItem, SourceRevision

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
#: What an item's columns hold when nothing is said of them.
_BLANK = {
    name: each.default for name, each in SourceItem.model_fields.items() if name != "id" and not each.is_required()
}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What came of a document's entries: the numbers of the `new` items; the `changed` say something else now."""

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
    changed = [known[key] for key in known if _says_else(known[key], entries[key])]
    _revise(session, {item.id: entries[key] for key, item in known.items() if item in changed}, now)
    new = _insert(session, fresh) if fresh else ()
    unusable = sum(1 for entry in document.entries if not (entry.title or entry.url))
    found = len(document.entries)
    return Stored(
        found=found,
        new=new,
        already=found - len(fresh) - unusable,
        changed=len(changed),
        unusable=unusable,
    )


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


@dataclass(frozen=True)
class _Known:
    id: int
    identity: str
    canonical: str
    url: str
    title: str
    summary: str


def _known(session: Session, feed_id: int, entries: dict[str, Entry]) -> dict[str, _Known]:
    """Return the stored items by the keys of the entries that they are.

    An entry with an unknown id, but the address and title of a known item, is that item under a new id: some
    publishers give all their entries new ids when they move.
    """
    known = {item.identity: item for item in _stored(session, feed_id, col(SourceItem.identity).in_(list(entries)))}
    strange = {key: entry for key, entry in entries.items() if key not in known and entry.url}
    if not strange:
        return known
    pages = {cleaning.canonical(entry.url) for entry in strange.values()}
    matched = {item.id for item in known.values()}
    there = _stored(session, feed_id, col(SourceItem.canonical).in_(pages))
    free = {(item.canonical, item.title): item for item in there if item.id not in matched}
    for key, entry in strange.items():
        same = free.pop((cleaning.canonical(entry.url), _title(entry)), None)
        if same:
            session.execute(update(SourceItem).where(col(SourceItem.id) == same.id).values(identity=key))
            known[key] = same
    return known


def _stored(session: Session, feed_id: int, condition: Any) -> list[_Known]:
    # Columns, because a thousand feeds with all their items as objects take as long as parsing them.
    columns = SourceItem.__table__.c  # type: ignore[attr-defined]
    wanted = [columns[each.name] for each in fields(_Known)]
    return [_Known(*row) for row in session.execute(sa_select(*wanted).where(columns.feed_id == feed_id, condition))]


def _item(feed_id: int, key: str, entry: Entry, now: datetime) -> dict[str, Any]:
    return _BLANK | {
        "feed_id": feed_id, "identity": key, "url": entry.url, "canonical": cleaning.canonical(entry.url),
        "title": _title(entry), "summary": entry.summary, "published": sane(entry.published, now),
        "published_as_given": entry.published_as_given, "upstream_name": entry.upstream_name,
        "upstream_url": entry.upstream_url, "found_at": now,
    }  # fmt: skip


def _insert(session: Session, rows: list[dict[str, Any]]) -> tuple[int, ...]:
    """Store new items and return their numbers, in the same order; as rows, for objects take ten times as long."""
    table = SourceItem.__table__  # type: ignore[attr-defined]
    made = table.insert().returning(table.c.id, sort_by_parameter_order=True)
    return tuple(session.execute(made, rows).scalars())


def _title(entry: Entry) -> str:
    return entry.title or entry.url[:500]


def _says_else(item: _Known, entry: Entry) -> bool:
    return (item.url, item.title, item.summary) != (entry.url, _title(entry), entry.summary)


def _revise(session: Session, entries: dict[int, Entry], now: datetime) -> None:
    """Let items say what their entries say now, and keep what they said before."""
    found = session.exec(select(SourceItem).where(col(SourceItem.id).in_(entries))) if entries else ()
    for item in found:
        assert item.id is not None
        session.add(
            SourceRevision(
                item_id=item.id, number=item.revision, url=item.url, title=item.title, summary=item.summary,
                replaced_at=now,
            )
        )  # fmt: skip
        entry = entries[item.id]
        item.url, item.title, item.summary = entry.url, _title(entry), entry.summary
        item.canonical = cleaning.canonical(entry.url)
        item.revision += 1
        item.changed_at = now


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


def newest(session: Session, feed_id: int, document: Document, *, most: int, now: datetime) -> list[datetime]:
    """Return when the newest items of a feed were published, newest first: by its document, else by what is stored."""
    dated = sorted({moment for entry in document.entries if (moment := sane(entry.published, now))}, reverse=True)
    if len(dated) > 1:
        return dated[:most]
    when = select(SourceItem.published, SourceItem.found_at).where(SourceItem.feed_id == feed_id)
    stored = session.exec(when.order_by(col(SourceItem.id).desc()).limit(4 * most))
    return sorted({published or found for published, found in stored}, reverse=True)[:most]
