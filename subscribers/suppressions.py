"""Suppressions: the addresses that must not be mailed, whatever else is said about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, Select, delete, exists, func, or_, select, update
from sqlmodel import Session

from subscribers import addresses, bulk, notices, upsert, words
from subscribers.errors import NotFound
from subscribers.lists import id_of
from subscribers.models import MailingList, Subscriber, Suppression, SuppressionReason

_TABLE, _LIST = upsert.table(Suppression), upsert.table(MailingList)
_STANDS = _TABLE.c.lifted_at.is_(None)
_EVERYWHERE = _TABLE.c.list_id.is_(None)
_BY_A_RELAY = (_TABLE.c.reason == SuppressionReason.HARD_BOUNCE) & _TABLE.c.source.like("issue %: %")


@dataclass(frozen=True, kw_only=True)
class SuppressionView:
    """A suppression; `email` is the address as it is compared, in lower case.

    `list` is empty for one that holds everywhere, `event_id` the event that it follows from, `lifted_at` empty while
    it stands.
    """

    id: int
    email: str
    list: str
    reason: SuppressionReason
    source: str
    event_id: int | None
    at: datetime
    lifted_at: datetime | None
    lifted_by: str


def add(
    session: Session, email: str, *, reason: SuppressionReason, source: str, list: str = "",
    event_id: int | None = None, now: datetime,
) -> bool:  # fmt: skip
    """Suppress an address from now on, everywhere or on one list; False when that stands already and stays so.

    It takes the place of what `bounce` wrote, which may yet be withdrawn.
    """
    on = id_of(session, list) if list else None
    row = _row(email, reason=reason, source=source, list_id=on, event_id=event_id, now=now)
    if _insert(session, row):
        return True
    _give_way(session, [row], now)
    return _insert(session, row)


def bounce(session: Session, email: str, *, issue_id: int, reply: str, now: datetime) -> bool:
    """Suppress an address that a relay called dead while an issue went out; False when it is suppressed already."""
    source = f"{_source(issue_id)}{reply}"
    return _insert(session, _row(email, reason=SuppressionReason.HARD_BOUNCE, source=source, now=now))


def withdraw(session: Session, keys: Sequence[str], *, issue_id: int, by: str, now: datetime) -> None:
    """End what `bounce` wrote of addresses' keys while the issue went out; what anybody else says of them stays."""
    ours = _BY_A_RELAY & _TABLE.c.source.startswith(_source(issue_id))
    _end(session, keys, ours, by=by, now=now)


def write(session: Session, rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Write many suppressions, as `add` does each, with nobody told; a row has every column but the number."""
    new = upsert.into(session, Suppression).on_conflict_do_nothing()
    upsert.many(session, new, rows)
    if rows:
        _give_way(session, rows, now)
        upsert.many(session, new, rows)


def _row(
    email: str, *, reason: SuppressionReason, source: str, list_id: int | None = None, event_id: int | None = None,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    return {
        "email_key": addresses.parse(email).key, "list_id": list_id, "reason": reason,
        "source": words.printable(source, 400), "event_id": event_id, "at": now, "lifted_at": None, "lifted_by": "",
    }  # fmt: skip


def _insert(session: Session, row: dict[str, Any]) -> bool:
    made = session.scalar(upsert.into(session, Suppression).on_conflict_do_nothing().returning(_TABLE.c.id), row)
    if made is not None:
        notices.tell(session, notices.SUPPRESSED, suppression_id=made, list_id=row["list_id"], now=row["at"])
    return made is not None


def _give_way(session: Session, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """End what relays said of addresses that are now to be suppressed everywhere for another reason."""
    keys = [row["email_key"] for row in rows if row["list_id"] is None]
    _end(session, keys, _BY_A_RELAY, by="what was said later", now=now)


def _end(session: Session, keys: Sequence[str], which: ColumnElement[bool], *, by: str, now: datetime) -> None:
    of_them = bulk.among(session, _TABLE.c.email_key, keys)
    session.execute(update(_TABLE).where(of_them, _EVERYWHERE, _STANDS, which).values(lifted_at=now, lifted_by=by))


def _source(issue_id: int) -> str:
    return f"issue {issue_id}: "


def lift(session: Session, email: str, *, list: str = "", by: str, now: datetime) -> None:
    """End the suppression that stands for an address, everywhere or on one list; the row says who ended it and when."""
    where = _TABLE.c.list_id == id_of(session, list) if list else _EVERYWHERE
    standing = update(_TABLE).where(_TABLE.c.email_key == addresses.parse(email).key, where, _STANDS)
    values = {"lifted_at": now, "lifted_by": words.line("a name", by, 80)}
    if session.execute(standing.values(values).returning(_TABLE.c.id)).first() is None:
        raise NotFound(_nothing_to_lift(session, email, list))


def _nothing_to_lift(session: Session, email: str, list: str) -> str:
    others = [each for each in of(session, email) if each.lifted_at is None]
    if not others:
        return f"{email} is not suppressed (those that are: newsletter suppressions list)"
    where = ", ".join(f"on {each.list} (--list {each.list})" if each.list else "everywhere" for each in others)
    return f"{email} is not suppressed {f'on {list}' if list else 'everywhere'}; it is {where}"


def all(session: Session, *, limit: int | None = None, after: int = 0) -> Sequence[SuppressionView]:
    """Return the standing suppressions by their numbers, those after a number."""
    return _read(session, _views().where(_STANDS, _TABLE.c.id > after).order_by(_TABLE.c.id).limit(limit))


def counts(session: Session) -> dict[SuppressionReason, int]:
    """Return how many suppressions stand for each reason."""
    query = select(_TABLE.c.reason, func.count()).where(_STANDS).group_by(_TABLE.c.reason)
    found = dict(session.execute(query).all())
    return {reason: found.get(reason, 0) for reason in SuppressionReason}


def of(session: Session, email: str) -> Sequence[SuppressionView]:
    """Return every suppression that an address ever had, oldest first."""
    return _read(session, _views().where(_TABLE.c.email_key == addresses.parse(email).key).order_by(_TABLE.c.id))


def standing(session: Session, key: str) -> SuppressionView | None:
    """Return what keeps an address's key from any mail at all, None when nothing does."""
    found = _read(session, _views().where(_TABLE.c.email_key == key, _EVERYWHERE, _STANDS))
    return found[0] if found else None


def bars(session: Session, key: str, *, on: int) -> bool:
    """Return whether an address's key must not be mailed by a list."""
    where = or_(_EVERYWHERE, _TABLE.c.list_id == on)
    return session.scalar(select(_TABLE.c.id).where(_TABLE.c.email_key == key, _STANDS, where).limit(1)) is not None


def stands(on: ColumnElement[int] | None = None) -> Exists:
    """Return the condition, over Subscriber, that their address must not be mailed at all, or on a list."""
    person = upsert.table(Subscriber)
    where = _EVERYWHERE if on is None else or_(_EVERYWHERE, _TABLE.c.list_id == on)
    return exists().where(_TABLE.c.email_key == person.c.email_key, _STANDS, where).correlate_except(_TABLE)


def forget(session: Session, key: str) -> int:
    """Delete every suppression of an address's key, for an erasure; return how many there were."""
    return upsert.touched(session, delete(_TABLE).where(_TABLE.c.email_key == key))


def _views() -> Select[*tuple[Any, ...]]:
    fields = [_TABLE.c[name] for name in ("id", "reason", "source", "event_id", "at", "lifted_at", "lifted_by")]
    names = (_TABLE.c.email_key.label("email"), func.coalesce(_LIST.c.name, "").label("list"))
    return select(*fields, *names).select_from(_TABLE.outerjoin(_LIST, _LIST.c.id == _TABLE.c.list_id))


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> Sequence[SuppressionView]:
    return [SuppressionView(**row._mapping) for row in session.execute(query)]
