"""The ledger: who may send an issue, who is next, and what became of each.

Claims are committed before a byte leaves, results after; a fence, counted up by each sender that takes the issue,
keeps one that was thought dead from writing over its successor.
"""

import os
import socket
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Update, bindparam, func, null, select, update
from sqlmodel import Session

from newsletter.delivery import batches, keyed, objections, readers, verdicts
from newsletter.delivery.models import Ask, BatchState, DeliveryState
from newsletter.delivery.reader import Reader
from newsletter.delivery.readers import NOTHING_MORE, Lookup
from newsletter.delivery.results import Change
from newsletter.delivery.tables import AUDIENCE, BATCH, DELIVERY, SUBSCRIBER
from newsletter.errors import Refused
from newsletter.issues import contents
from subscribers.columns import among

#: How long a sender that gives no sign of life keeps an issue.
LEASE = timedelta(seconds=60)
#: States that still ask for something; an issue with one of them cannot close.
WAITING = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEFERRED)
NO_RELAYS: Mapping[int, str] = {}
_RENEWED = "renewed"


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One sender's right to an issue; worth something as long as nobody has a higher fence."""

    issue_id: int
    fence: int
    worker: str


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A claimed batch: its readers are this sender's until it records."""

    id: int
    readers: tuple[Reader, ...]
    skipped: int


def this_worker() -> str:
    """Return the name of this process."""
    return worker_of(os.getpid())


def worker_of(pid: int) -> str:
    """Return the name of a process beside this one, host:namespace:pid."""
    return f"{_place()}:{pid}"


def _place() -> str:
    """Return where a pid means what it means here: containers may share a host's name, and each counts from 1."""
    host = socket.gethostname()
    try:
        return f"{host}:{os.stat('/proc/self/ns/pid').st_ino}"  # pid_namespaces(7)
    except OSError:  # not Linux
        return host


def take(session: Session, issue_id: int, *, worker: str, now: datetime) -> Hold:
    """Return the right to send the issue, or refuse while another live sender has it."""
    row = session.execute(
        select(AUDIENCE.c.worker, AUDIENCE.c.lease_until).where(AUDIENCE.c.issue_id == issue_id).with_for_update()
    ).one()
    if _lives(row.worker, row.lease_until, now):
        raise Refused(
            f"issue {issue_id} is being sent by {row.worker}; watch it: newsletter status {issue_id}. If that sender "
            f"is gone, run this again after {row.lease_until:%H:%M:%S} UTC"
        )
    taken = (
        update(AUDIENCE)
        .where(AUDIENCE.c.issue_id == issue_id)
        .values(fence=AUDIENCE.c.fence + 1, worker=worker, lease_until=now + LEASE)
        .returning(AUDIENCE.c.fence)
    )
    return Hold(issue_id=issue_id, fence=session.execute(taken).scalar_one(), worker=worker)


def _lives(worker: str, lease_until: datetime | None, now: datetime) -> bool:
    """Return whether a sender has the issue: its lease runs, and its process is not known to be gone."""
    return bool(worker) and lease_until is not None and lease_until > now and not _dead(worker)


def _dead(worker: str) -> bool:
    """Return whether the process is known to be gone; that of another host or container is not."""
    place, _, pid = worker.rpartition(":")
    if place != _place():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it lives, as another user
        return False
    return _is_zombie(int(pid))


def _is_zombie(pid: int) -> bool:
    """Return whether the process was killed, and its parent has not asked for its end yet (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def renew(session: Session, hold: Hold, *, now: datetime) -> None:
    """Say that the sender lives, for another LEASE, once in a transaction; refuse when another has taken over."""
    if session.info.get(_RENEWED) is not hold:
        _set_lease(session, hold, worker=hold.worker, lease_until=now + LEASE)
        session.info[_RENEWED] = hold


def release(session: Session, hold: Hold) -> None:
    """Give the issue back."""
    _set_lease(session, hold, worker="", lease_until=None)


def _set_lease(session: Session, hold: Hold, *, worker: str, lease_until: datetime | None) -> None:
    terms = {"issue": hold.issue_id, "ours": hold.fence, "by": worker, "until": lease_until}
    if session.execute(_HOLD, terms).rowcount != 1:  # type: ignore[attr-defined]
        raise _fenced(hold)


# Built once, as the statements below: a sender executes them for each batch, or several times a second.
_HOLD = (
    update(AUDIENCE)
    .where(AUDIENCE.c.issue_id == bindparam("issue"), AUDIENCE.c.fence == bindparam("ours"))
    .values(worker=bindparam("by"), lease_until=bindparam("until"))
)


def _fenced(hold: Hold) -> Refused:
    return Refused(
        f"another sender has taken issue {hold.issue_id} over from {hold.worker}, which wrote nothing more; "
        f"watch it: newsletter status {hold.issue_id}"
    )


def claim(
    session: Session, hold: Hold, *, batch: int, lookup: Lookup = NOTHING_MORE, part: int | None = None, now: datetime
) -> Batch | None:
    """Return the next batch, its readers marked as being sent to; None when nobody is due.

    Whoever left, was suppressed, or had another issue and wants fewer since the audience was planned is skipped here,
    with the reason. `lookup` says what else is to be known of the readers, `part` which share of the audience is meant.
    """
    renew(session, hold, now=now)
    batch_id = _lease_batch(session, hold, part)
    if batch_id is None and batches.form(session, hold.issue_id, batch=batch, part=part, now=now):
        batch_id = _lease_batch(session, hold, part)
    if batch_id is None:
        return None
    found = readers.of_batch(session, batch_id, lookup, now=now)
    if found.barred:
        rows = [{"key": key, "why": reason[:80], "at": now} for key, reason in found.barred.items()]
        session.execute(_BAR, rows)
    session.execute(_BEGIN, {"batch": batch_id, "at": now})
    return Batch(id=batch_id, readers=found.readers, skipped=len(found.barred))


_BAR = update(DELIVERY).where(DELIVERY.c.id == bindparam("key")).values(
    state=DeliveryState.SKIPPED, reason=bindparam("why"), changed_at=bindparam("at"), due_at=None
)  # fmt: skip
_BEGIN = (
    update(DELIVERY)
    .where(DELIVERY.c.batch_id == bindparam("batch"))
    .where(among(DELIVERY.c.state, DeliveryState.PENDING, DeliveryState.DEFERRED))
    .values(state=DeliveryState.SENDING, changed_at=bindparam("at"), due_at=None)
)


def _lease_batch(session: Session, hold: Hold, part: int | None) -> int | None:
    lease = _LEASE if part is None else _LEASE_OF_PART
    terms = {"issue": hold.issue_id, "ours": hold.fence, "by": hold.worker, "of_part": part}
    batch_id: int | None = session.execute(lease, terms).scalar()
    return batch_id


def _leases(*which: ColumnElement[bool]) -> Update:
    """Return the statement that leases the oldest open batch, and tells which that is."""
    oldest = (
        select(BATCH.c.id)
        .where(BATCH.c.issue_id == bindparam("issue"), BATCH.c.state == BatchState.OPEN, *which)
        .order_by(BATCH.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .correlate(None)
        .scalar_subquery()
    )
    leased = {"state": BatchState.LEASED, "fence": bindparam("ours"), "worker": bindparam("by")}
    return update(BATCH).where(BATCH.c.id == oldest).values(leased).returning(BATCH.c.id)


_LEASE, _LEASE_OF_PART = _leases(), _leases(BATCH.c.part == bindparam("of_part"))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the ledger says of copies that are about to go out: the `objections` against some, and what is asked."""

    objections: Mapping[int, str]
    ask: Ask


_STANDING = select(AUDIENCE.c.fence, AUDIENCE.c.ask).where(AUDIENCE.c.issue_id == bindparam("issue"))
_ASKED = (
    select(DELIVERY.c.id, objections.REASON.label("reason"))
    .join_from(DELIVERY, SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id, isouter=True)
    .where(DELIVERY.c.id.in_(select(keyed.rows("about").c.delivery)), DELIVERY.c.state == DeliveryState.SENDING)
    .subquery()
)
_OBJECTIONS = select(_ASKED).where(_ASKED.c.reason != "")


def ask(session: Session | Connection, hold: Hold, deliveries: Collection[int], *, now: datetime) -> Answer:
    """Return what speaks against the copies now, and what a person asks; refuse a sender that was taken over."""
    standing = session.execute(_STANDING, {"issue": hold.issue_id}).one()
    if standing.fence != hold.fence:
        raise _fenced(hold)
    if not deliveries:
        return Answer(objections={}, ask=standing.ask)
    about = keyed.value(dict.fromkeys(deliveries, ""))
    rows = session.execute(_OBJECTIONS, {"about": about, **objections.at(now)})
    return Answer(objections=dict(rows.all()), ask=standing.ask)


def record(
    session: Session, hold: Hold, batch_id: int, changes: Mapping[int, Change], *,
    relays: Mapping[int, str] = NO_RELAYS, now: datetime,
) -> None:  # fmt: skip
    """Write what became of a batch; deliveries that `changes` does not name wait again, as if never claimed."""
    renew(session, hold, now=now)
    taken: dict[str, dict[int, str]] = defaultdict(dict)
    others = []
    for key, change in changes.items():
        if change.state is DeliveryState.SENT and not change.reason:
            taken[relays.get(key, "")][key] = _said(change)
        else:
            others.append(_row(key, change, batch_id, now, relays.get(key, "")))
    for relay, said in taken.items():
        session.execute(_SENT, {"said": keyed.value(said), "by": relay, "at": now})
    if others:
        session.execute(_CHANGE, others)
    session.execute(_UNTOUCHED, {"batch": batch_id, "at": now})
    session.execute(_DONE, {"batch": batch_id})
    verdicts.suppress(session, hold.issue_id, [key for key, change in changes.items() if change.suppress], now=now)


_REPLIES = keyed.rows("said")
# For copies that were taken at once, and that is most: nothing but their replies differs.
_SENT = (
    update(DELIVERY)
    .where(DELIVERY.c.id == _REPLIES.c.delivery, DELIVERY.c.state == DeliveryState.SENDING)
    .values(
        state=DeliveryState.SENT, reason="", reply=_REPLIES.c.word, changed_at=bindparam("at"), relay=bindparam("by"),
        attempts=DELIVERY.c.attempts + 1,
    )
)  # fmt: skip
_CHANGE = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("key"), DELIVERY.c.state == DeliveryState.SENDING)
    .values(
        state=bindparam("to"), reason=bindparam("why"), reply=bindparam("said"), due_at=bindparam("due"),
        batch_id=bindparam("stays_in"), changed_at=bindparam("at"), relay=bindparam("by"),
        attempts=DELIVERY.c.attempts + bindparam("tried"), waited=DELIVERY.c.waited + bindparam("wait"),
    )
)  # fmt: skip
_UNTOUCHED = (
    update(DELIVERY)
    .where(DELIVERY.c.batch_id == bindparam("batch"), DELIVERY.c.state == DeliveryState.SENDING)
    .values(state=DeliveryState.PENDING, batch_id=null(), changed_at=bindparam("at"))
)
_DONE = update(BATCH).where(BATCH.c.id == bindparam("batch")).values(state=BatchState.DONE)


def _said(change: Change) -> str:
    return change.reply.replace("\0", "")[:1000]


def _row(key: int, change: Change, batch_id: int, now: datetime, relay: str) -> dict[str, object]:
    return {
        "key": key, "to": change.state, "why": change.reason[:80], "said": _said(change),
        "due": change.due_at, "stays_in": None if change.state in WAITING else batch_id, "at": now,
        "tried": int(change.tried), "wait": change.wait, "by": relay,
    }  # fmt: skip


def holder(session: Session, issue_id: int, *, now: datetime) -> tuple[str, bool]:
    """Return the worker that took the issue last and did not give it back, empty when none; and whether it lives."""
    query = select(AUDIENCE.c.worker, AUDIENCE.c.lease_until).where(AUDIENCE.c.issue_id == issue_id)
    row = session.execute(query).first()
    return (row.worker, _lives(row.worker, row.lease_until, now)) if row else ("", False)


def counts(session: Session, issue_id: int) -> dict[DeliveryState, int]:
    """Return how many deliveries of the issue are in each state."""
    query = select(DELIVERY.c.state, func.count()).where(DELIVERY.c.issue_id == issue_id).group_by(DELIVERY.c.state)
    found = dict(session.execute(query).all())
    return {state: found.get(state, 0) for state in DeliveryState}


def next_due(session: Session, issue_id: int) -> datetime | None:
    """Return when the first deferred delivery may be tried again."""
    query = select(func.min(DELIVERY.c.due_at, type_=DELIVERY.c.due_at.type)).where(
        DELIVERY.c.issue_id == issue_id, DELIVERY.c.state == DeliveryState.DEFERRED
    )
    return session.execute(query).scalar()


def close(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Close the issue, if everyone of its audience is sent to, failed, skipped or unknown; else refuse loudly."""
    size = session.execute(select(AUDIENCE.c.size).where(AUDIENCE.c.issue_id == issue_id)).scalar_one()
    found = counts(session, issue_id)
    accounted = sum(count for state, count in found.items() if state not in WAITING)
    if size != accounted or size != sum(found.values()):
        states = ", ".join(f"{count} {state}" for state, count in found.items() if count)
        raise Refused(
            f"issue {issue_id} cannot close: its audience is {size}, and {accounted} are accounted for ({states}); "
            f"see who: newsletter status {issue_id}, then run the same send again"
        )
    contents.close(session, issue_id, actor=actor, now=now)
