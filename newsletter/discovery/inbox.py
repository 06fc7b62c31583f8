"""The inbox: the source items that feeds brought, and how far the desk has got with each.

A line of it is a story: an item, with the items of other sources that tell the same. What is decided of a story is
decided of each of its items that still waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import Session, col, select, update

from newsletter.discovery import cleaning
from newsletter.discovery.models import Feed, ItemState, SourceItem
from newsletter.errors import BadInput, NotFound, Refused

#: The states of items that still wait for an editor.
WAITING = (ItemState.NEW, ItemState.SHORTLISTED, ItemState.CLAIMED)
#: How long an item waits before it leaves by itself.
PATIENCE = timedelta(days=21)
#: The states from which somebody may decide, and those to which only an item that waits can go.
_OPEN = (ItemState.NEW, ItemState.SHORTLISTED, ItemState.SNOOZED, ItemState.CLAIMED)
_BACK = (*_OPEN, ItemState.DISMISSED, ItemState.EXPIRED)


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
    canonical: str = ""
    revision: int = 1
    changed_at: datetime | None = None
    upstream: str = ""
    cluster: int | None = None
    snoozed_until: datetime | None = None
    reason: str = ""


def all(session: Session, *, states: Sequence[ItemState] = tuple(ItemState)) -> list[ItemView]:
    """Return the items in any of the states, the newest first."""
    newest = func.coalesce(col(SourceItem.published), col(SourceItem.found_at)).desc()
    query = _query().where(col(SourceItem.state).in_(states)).order_by(newest, col(SourceItem.id))
    return [_view(item, feed) for item, feed in session.exec(query)]


def waiting(session: Session, *, now: datetime) -> list[ItemView]:
    """Return the items that wait for an editor, the newest first; a snoozed one waits again when its time has come."""
    awake = (col(SourceItem.state) == ItemState.SNOOZED) & (col(SourceItem.snoozed_until) <= now)
    newest = func.coalesce(col(SourceItem.published), col(SourceItem.found_at)).desc()
    query = _query().where(or_(col(SourceItem.state).in_(WAITING), awake)).order_by(newest, col(SourceItem.id))
    return [_view(item, feed) for item, feed in session.exec(query)]


def get(session: Session, id: int) -> ItemView:
    """Return one item."""
    found = session.exec(_query().where(SourceItem.id == id)).first()
    if found is None:
        raise NotFound(f"there is no source item {id}; see them: newsletter inbox")
    return _view(*found)


def story(session: Session, id: int) -> list[ItemView]:
    """Return an item and then those of other sources that tell the same story."""
    item = get(session, id)
    if item.cluster is None:
        return [item]
    query = _query().where(SourceItem.cluster_id == item.cluster, SourceItem.id != id).order_by(col(SourceItem.id))
    return [item, *(_view(*found) for found in session.exec(query))]


def use(session: Session, url: str, briefing_id: str) -> int:
    """Mark the items at an address as used by a briefing; return how many were not used before."""
    if not url:
        return 0
    there = (col(SourceItem.url) == url) | (col(SourceItem.canonical) == (cleaning.canonical(url) or url))
    guarded = update(SourceItem).where(there, col(SourceItem.state) != ItemState.USED)
    return _changed(session, guarded.values(state=ItemState.USED, briefing_id=briefing_id))


def shortlist(session: Session, ids: Sequence[int], *, actor: str, now: datetime) -> int:
    """Put stories on the shortlist, also such as were dismissed or have expired; return how many items that moved."""
    return _decide(session, ids, ItemState.SHORTLISTED, since=_BACK, actor=actor, now=now)


def dismiss(session: Session, ids: Sequence[int], *, reason: str, actor: str, now: datetime) -> int:
    """Take stories out of the inbox for good, with the reason; return how many items that moved."""
    given = cleaning.plain(reason, limit=400)
    if not given:
        raise BadInput("a dismissal needs its reason, which others will read; give --reason")
    return _decide(session, ids, ItemState.DISMISSED, since=_OPEN, actor=actor, now=now, reason=given)


def snooze(session: Session, ids: Sequence[int], *, until: datetime, actor: str, now: datetime) -> int:
    """Take stories out of sight until a moment; return how many items that moved."""
    if until <= now:
        raise BadInput(f"{until:%Y-%m-%d %H:%M} is over; give a moment to come")
    if until > now + timedelta(days=366):
        raise BadInput(f"{until:%Y-%m-%d} is more than a year away; dismiss it, or give an earlier moment")
    return _decide(session, ids, ItemState.SNOOZED, since=_OPEN, actor=actor, now=now, snoozed_until=until)


def expire(session: Session, *, now: datetime) -> int:
    """Let what nobody looked at for three weeks leave the inbox; return how many items that moved."""
    old = (col(SourceItem.state) == ItemState.NEW) & (col(SourceItem.found_at) < now - PATIENCE)
    slept = (col(SourceItem.state) == ItemState.SNOOZED) & (col(SourceItem.snoozed_until) < now - PATIENCE)
    return _changed(session, update(SourceItem).where(or_(old, slept)).values(state=ItemState.EXPIRED, handled_at=now))


def _decide(
    session: Session, ids: Sequence[int], to: ItemState, *, since: Sequence[ItemState], actor: str, now: datetime,
    **more: Any,
) -> int:  # fmt: skip
    moved = 0
    for id in dict.fromkeys(ids):
        members = [each.id for each in story(session, id)]
        guarded = update(SourceItem).where(col(SourceItem.id).in_(members), col(SourceItem.state).in_(since))
        fields = {"snoozed_until": None, "reason": "", **more}
        count = _changed(session, guarded.values(state=to, handled_by=actor, handled_at=now, **fields))
        if not count:
            here = get(session, id)
            by = f" by briefing {here.briefing}" if here.briefing else ""
            raise Refused(f"item {id} is {here.state}{by} and cannot be {to}; see: newsletter inbox show {id}")
        moved += count
    return moved


def _changed(session: Session, statement: Any) -> int:
    session.flush()
    changed = int(session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
    session.expire_all()
    return changed


def _query() -> Any:
    return select(SourceItem, Feed.name).join(Feed, col(Feed.id) == SourceItem.feed_id)


def _view(item: SourceItem, feed: str) -> ItemView:
    assert item.id is not None
    return ItemView(
        id=item.id, feed=feed, url=item.url, title=item.title, summary=item.summary, published=item.published,
        published_as_given=item.published_as_given, found_at=item.found_at, state=item.state,
        briefing=item.briefing_id, canonical=item.canonical, revision=item.revision, changed_at=item.changed_at,
        upstream=item.upstream_name or item.upstream_url, cluster=item.cluster_id, snoozed_until=item.snoozed_until,
        reason=item.reason,
    )  # fmt: skip
