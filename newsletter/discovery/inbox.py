"""The inbox: the source items that feeds brought, and how far the desk has got with each.

A line of it is a story: an item, with the items of other sources that tell the same. What is decided of a story is
decided of each of its items that still waits. Who begins a briefing claims its stories: nobody decides of them until
the claim is released, or the briefing is approved and has used them.
"""

from collections.abc import Iterable, Sequence
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
#: The states from which somebody may decide, and those from which an item can come back.
_OPEN = (ItemState.NEW, ItemState.SHORTLISTED, ItemState.SNOOZED)
_BACK = (*_OPEN, ItemState.CLAIMED, ItemState.DISMISSED, ItemState.EXPIRED)
#: The states in which an item is a briefing's.
_TAKEN = (ItemState.CLAIMED, ItemState.USED)


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """A source item with the name of its feed, the `briefing` that claims or has used it, and `by` whom it was decided.

    `upstream` is who told it first: a name, else the address.
    """

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
    upstream_url: str = ""
    by: str = ""
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


def claim(session: Session, ids: Sequence[int], *, briefing: str, actor: str, now: datetime) -> int:
    """Keep stories for a briefing that somebody begins; return how many items that moved.

    Refused when anybody has claimed one of a story's items: two would write the same.
    """
    for id in ids:
        for item in story(session, id):
            if item.state is ItemState.CLAIMED:
                raise _refusal(item, ItemState.CLAIMED)
    return _decide(session, ids, ItemState.CLAIMED, since=_OPEN, actor=actor, now=now, briefing_id=briefing)


def use(session: Session, urls: Iterable[str], briefing_id: str) -> int:
    """Mark the items at the addresses that a briefing cites as used by it; return how many were not used before.

    What it claimed, or has used, and does not cite any more, is back on the shortlist.
    """
    cited = {address for url in urls if url for address in (url, cleaning.canonical(url) or url)}
    there = col(SourceItem.url).in_(cited) | col(SourceItem.canonical).in_(cited)
    guarded = update(SourceItem).where(there, col(SourceItem.state) != ItemState.USED)
    used = _changed(session, guarded.values(state=ItemState.USED, briefing_id=briefing_id))
    _free(session, briefing_id, ~there)
    return used


def release(session: Session, briefing_id: str) -> int:
    """Put what a briefing claimed or has used back on the shortlist; return how many items that moved."""
    return _free(session, briefing_id)


def _free(session: Session, briefing_id: str, *conditions: Any) -> int:
    taken = (col(SourceItem.briefing_id) == briefing_id, col(SourceItem.state).in_(_TAKEN))
    guarded = update(SourceItem).where(*taken, *conditions)
    return _changed(session, guarded.values(state=ItemState.SHORTLISTED, briefing_id=""))


def shortlist(session: Session, ids: Sequence[int], *, actor: str, now: datetime) -> int:
    """Put stories on the shortlist, also such as are claimed, were dismissed or have expired; return how many items."""
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
    moved, decided = 0, set[int]()
    for id in ids:
        if id in decided:  # two numbers of one story
            continue
        members = [each.id for each in story(session, id)]
        decided.update(members)
        guarded = update(SourceItem).where(col(SourceItem.id).in_(members), col(SourceItem.state).in_(since))
        fields = {"snoozed_until": None, "reason": "", "briefing_id": "", **more}
        count = _changed(session, guarded.values(state=to, handled_by=actor, handled_at=now, **fields))
        if not count:
            raise _refusal(get(session, id), to)
        moved += count
    return moved


def _refusal(item: ItemView, to: ItemState) -> Refused:
    next = "shortlist" if item.state is ItemState.CLAIMED else "show"
    way = "release it" if item.state is ItemState.CLAIMED else "see"
    return Refused(f"item {item.id} is {standing(item)} and cannot be {to}; {way}: newsletter inbox {next} {item.id}")


def standing(item: ItemView) -> str:
    """Return in words how far the desk has got with an item, and who has it for which briefing."""
    if item.state is ItemState.CLAIMED:
        return f"claimed by {item.by} for {item.briefing}"
    return f"used by briefing {item.briefing}" if item.state is ItemState.USED else item.state.value


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
        upstream=item.upstream_name or item.upstream_url, upstream_url=item.upstream_url, by=item.handled_by,
        cluster=item.cluster_id, snoozed_until=item.snoozed_until, reason=item.reason,
    )  # fmt: skip
