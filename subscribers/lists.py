"""Lists: what a reader can be on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

from subscribers import upsert, words
from subscribers.errors import Refused
from subscribers.models import MailingList, OptIn, Subscription, SubscriptionState

_LIST = upsert.table(MailingList)
_STANDING = upsert.table(Subscription)


@dataclass(frozen=True, kw_only=True)
class ListView:
    """A list, and how many subscribers stand where on it."""

    id: int
    name: str
    title: str
    description: str
    opt_in: OptIn
    public: bool
    pending: int
    confirmed: int
    unsubscribed: int


def create(
    session: Session, name: str, *, title: str = "", description: str = "", opt_in: OptIn = OptIn.DOUBLE,
    public: bool = True, now: datetime,
) -> ListView:  # fmt: skip
    """Make a list; without a title it is called by its name."""
    row = {
        "name": words.name("list", name), "title": words.line("a title", title, 200) or name,
        "description": words.line("a description", description, 2000),
        "opt_in": opt_in, "public": public, "created_at": now,
    }  # fmt: skip
    made = session.execute(upsert.into(session, MailingList).on_conflict_do_nothing().returning(_LIST.c.id), row)
    if made.first() is None:
        raise Refused(f"the list {name} exists already; choose another name, or fill it: newsletter subscribers import")
    return get(session, name)


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


def _names(session: Session) -> dict[str, int]:
    return dict(session.execute(select(_LIST.c.name, _LIST.c.id)).all())


def _views() -> Select[*tuple[Any, ...]]:
    fields = [_LIST.c[name] for name in ("id", "name", "title", "description", "opt_in", "public")]
    counts = [func.count().filter(_STANDING.c.state == state).label(state.value) for state in SubscriptionState]
    return select(*fields, *counts).select_from(_LIST.outerjoin(_STANDING)).group_by(_LIST.c.id)
