"""The inbox: the source items that feeds brought, and how far the desk has got with each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from newsletter.discovery.models import Feed, ItemState, SourceItem
from newsletter.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """A source item with the name of its feed; `briefing` is the one that cites it, if one does."""

    id: int
    feed: str
    url: str
    title: str
    summary: str
    published: datetime | None
    published_as_given: str
    found_at: datetime
    state: ItemState
    briefing: str


def all(session: Session, *, states: Sequence[ItemState] = tuple(ItemState)) -> list[ItemView]:
    """Return the items in any of the states, the newest first."""
    newest = func.coalesce(col(SourceItem.published), col(SourceItem.found_at)).desc()
    query = select(SourceItem, Feed.name).join(Feed, col(Feed.id) == SourceItem.feed_id)
    query = query.where(col(SourceItem.state).in_(states)).order_by(newest, col(SourceItem.id))
    return [_view(item, feed) for item, feed in session.exec(query)]


def get(session: Session, id: int) -> ItemView:
    """Return one item."""
    query = select(SourceItem, Feed.name).join(Feed, col(Feed.id) == SourceItem.feed_id).where(SourceItem.id == id)
    found = session.exec(query).first()
    if found is None:
        raise NotFound(f"there is no source item {id}; see them: newsletter inbox")
    return _view(*found)


def use(session: Session, url: str, briefing_id: str) -> int:
    """Mark the items at an address as used by a briefing; return how many were not used before."""
    if not url:
        return 0
    guarded = update(SourceItem).where(col(SourceItem.url) == url, col(SourceItem.state) != ItemState.USED)
    changed = session.execute(guarded.values(state=ItemState.USED, briefing_id=briefing_id))
    return int(changed.rowcount)  # type: ignore[attr-defined]


def _view(item: SourceItem, feed: str) -> ItemView:
    assert item.id is not None
    return ItemView(
        id=item.id, feed=feed, url=item.url, title=item.title, summary=item.summary, published=item.published,
        published_as_given=item.published_as_given, found_at=item.found_at, state=item.state,
        briefing=item.briefing_id,
    )  # fmt: skip
