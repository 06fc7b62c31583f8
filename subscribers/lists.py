"""Lists: what a reader can be on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, cast, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from subscribers import segments, upsert, words
from subscribers.errors import BadValue, Refused
from subscribers.models import MailingList, OptIn, Subscription, SubscriptionState

_LIST = upsert.table(MailingList)
_STANDING = upsert.table(Subscription)
_FIELDS = ("id", "name", "title", "description", "identifier", "opt_in", "public", "track_clicks", "created_at")
#: A label and a namespace (RFC 2919 section 2), of the letters that domains have.
_IDENTIFIER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)+")


@dataclass(frozen=True, kw_only=True)
class ListView:
    """A list, and how many subscribers stand where on it."""

    id: int
    name: str
    title: str
    description: str
    identifier: str
    opt_in: OptIn
    public: bool
    track_clicks: bool
    created_at: datetime
    pending: int
    confirmed: int
    unsubscribed: int


def create(
    session: Session, name: str, *, title: str = "", description: str = "", identifier: str = "",
    opt_in: OptIn = OptIn.DOUBLE, public: bool = True, now: datetime,
) -> ListView:  # fmt: skip
    """Make a list; without a title it is called by its name."""
    row = {
        "name": words.name("list", name), "created_at": now, "opt_in": opt_in, "public": public,
        "title": words.line("a title", title, 200) or name,
        "description": words.line("a description", description, 2000), "identifier": _identifier(identifier),
    }  # fmt: skip
    _require_free(session, identifier, but=name)
    made = session.execute(upsert.into(session, MailingList).on_conflict_do_nothing().returning(_LIST.c.id), row)
    if made.first() is None:
        raise Refused(f"the list {name} exists already; choose another name, or fill it: newsletter subscribers import")
    return get(session, name)


def edit(
    session: Session, name: str, *, title: str | None = None, description: str | None = None,
    identifier: str | None = None, opt_in: OptIn | None = None, public: bool | None = None,
    track_clicks: bool | None = None,
) -> ListView:  # fmt: skip
    """Change what is given of a list; its name stays, for links and records carry it."""
    get(session, name)
    given: dict[str, Any] = {
        "title": None if title is None else words.line("a title", title, 200) or name,
        "description": None if description is None else words.line("a description", description, 2000),
        "identifier": None if identifier is None else _identifier(identifier),
        "opt_in": opt_in, "public": public, "track_clicks": track_clicks,
    }  # fmt: skip
    changed = {field: value for field, value in given.items() if value is not None}
    if identifier:
        _require_free(session, identifier, but=name)
    if changed:
        session.execute(update(_LIST).where(_LIST.c.name == name).values(changed))
    return get(session, name)


def remove(session: Session, name: str) -> None:
    """Delete a list that nobody was ever on; any other is refused, for consents and issues name it."""
    found = get(session, name)
    segments.require_unnamed(session, "lists", name)
    try:
        with session.begin_nested():
            session.execute(delete(_LIST).where(_LIST.c.id == found.id))
    except IntegrityError as error:
        raise Refused(
            f"the list {name} has subscribers or a past ({found.confirmed + found.pending + found.unsubscribed}), and "
            f"records name it, so it stays; to offer it no more: newsletter lists edit {name} --private"
        ) from error


def get(session: Session, name: str) -> ListView:
    """Return the list; raise NotFound, with the names that are near, when there is none."""
    found = session.execute(_views().where(_LIST.c.name == name)).first()
    if found is None:
        raise words.missing("list", name, _names(session))
    return ListView(**found._mapping)


def all(session: Session) -> list[ListView]:
    """Return every list, by name."""
    return [ListView(**row._mapping) for row in session.execute(_views().order_by(_LIST.c.name))]


def ids_of(session: Session, names: Iterable[str]) -> list[int]:
    """Return the numbers of the named lists, in the order named and each once; raise NotFound for an unknown name."""
    known = _names(session)
    wanted = dict.fromkeys(names)
    for name in wanted:
        if name not in known:
            raise words.missing("list", name, known)
    if not wanted:
        raise Refused("no list is named; say which: --list NAME (all of them: newsletter lists list)")
    return [known[name] for name in wanted]


def id_of(session: Session, name: str) -> int:
    """Return the number of one list; raise NotFound for an unknown name."""
    return ids_of(session, [name])[0]


def _identifier(text: str) -> str:
    if text and (len(text) > 255 or not _IDENTIFIER.fullmatch(text)):
        raise BadValue(text, "a list's identifier is words joined by dots, such as weekly.news.example.com (RFC 2919)")
    return text


def _require_free(session: Session, identifier: str, *, but: str) -> None:
    taken = select(_LIST.c.name).where(func.lower(_LIST.c.identifier) == identifier.lower(), _LIST.c.name != but)
    other = session.scalar(taken) if identifier else None
    if other:
        raise Refused(f"the identifier {identifier} is that of the list {other}; each list needs its own")


def _names(session: Session) -> dict[str, int]:
    return dict(session.execute(select(_LIST.c.name, _LIST.c.id)).all())


def _views() -> Select[*tuple[Any, ...]]:
    # Counted once for all lists by the index of (list, state): joined and grouped, a million rows would be sorted.
    tally = select(_STANDING.c.list_id, _STANDING.c.state, func.count().label("people"))
    found = tally.group_by(_STANDING.c.list_id, _STANDING.c.state).subquery()
    counts = [
        cast(func.coalesce(func.sum(found.c.people).filter(found.c.state == state), 0), Integer).label(state.value)
        for state in SubscriptionState
    ]
    joined = _LIST.outerjoin(found, found.c.list_id == _LIST.c.id)
    return select(*[_LIST.c[name] for name in _FIELDS], *counts).select_from(joined).group_by(_LIST.c.id)
