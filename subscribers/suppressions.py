"""Suppressions: the addresses that must not be mailed, whatever else is said about them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Exists, exists, or_, select, update
from sqlmodel import Session

from subscribers import addresses, upsert, words
from subscribers.errors import NotFound
from subscribers.models import Subscriber, Suppression, SuppressionReason

_TABLE = upsert.table(Suppression)
_STANDS = _TABLE.c.lifted_at.is_(None)
_EVERYWHERE = _TABLE.c.list_id.is_(None)
_VIEW = select(_TABLE.c.email_key.label("email"), _TABLE.c.reason, _TABLE.c.source, _TABLE.c.at).where(_STANDS)


@dataclass(frozen=True, kw_only=True)
class SuppressionView:
    """A standing suppression; `email` is the address as it is compared, in lower case."""

    email: str
    reason: SuppressionReason
    source: str
    at: datetime


def add(session: Session, email: str, *, reason: SuppressionReason, source: str, now: datetime) -> bool:
    """Suppress an address from now on; False when a suppression stands already, which then stays as it is."""
    key = addresses.parse(email).key
    row = {
        "email_key": key, "reason": reason, "source": words.printable(source, 400), "at": now,
        "lifted_at": None, "lifted_by": "",
    }  # fmt: skip
    made = session.execute(upsert.into(session, Suppression).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    return made.first() is not None


def lift(session: Session, email: str, *, by: str, now: datetime) -> None:
    """End the suppression that stands for an address; the row stays and says who ended it and when."""
    key = addresses.parse(email).key
    statement = update(_TABLE).where(_TABLE.c.email_key == key, _STANDS).returning(_TABLE.c.id)
    values = {"lifted_at": now, "lifted_by": words.line("a name", by, 80)}
    if session.execute(statement.values(values)).first() is None:
        raise NotFound(f"{email} is not suppressed (those that are: newsletter suppressions list)")


def all(session: Session) -> list[SuppressionView]:
    """Return the standing suppressions, oldest first."""
    return [SuppressionView(**row._mapping) for row in session.execute(_VIEW.order_by(_TABLE.c.at, _TABLE.c.id))]


def standing(session: Session, key: str) -> SuppressionView | None:
    """Return the suppression that stands for an address's key, None when it may be mailed."""
    found = session.execute(_VIEW.where(_TABLE.c.email_key == key)).first()
    return SuppressionView(**found._mapping) if found else None


def stands(on: ColumnElement[int] | None = None) -> Exists:
    """Return the condition, over Subscriber, that their address must not be mailed at all, or on a list."""
    person = upsert.table(Subscriber)
    where = _EVERYWHERE if on is None else or_(_EVERYWHERE, _TABLE.c.list_id == on)
    return exists().where(_TABLE.c.email_key == person.c.email_key, _STANDS, where).correlate_except(_TABLE)
