"""Rounds: what goes on by itself, when something looks: scheduled sends, trials of subjects, copies that were put off.

What a person stopped waits for a person, and so does what the breaker stopped, or a relay that refused for good.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, select
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import (
    controls,
    editions,
    inspection,
    ledger,
    relays,
    report,
    schedules,
    sending,
    subject_tests,
)  # fmt: skip
from newsletter.delivery.books import Clock
from newsletter.delivery.models import Ask, DeliveryState, Stop
from newsletter.delivery.pulse import Progress
from newsletter.delivery.report import Status
from newsletter.delivery.schedules import ScheduleView
from newsletter.delivery.sending import Order, utc_now
from newsletter.delivery.shares import Share
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.editorial import gate, roles
from newsletter.editorial.models import Role
from newsletter.errors import Blocked, Refused
from newsletter.issues import clearing
from newsletter.issues.models import Issue, IssueState
from newsletter.settings import Settings
from subscribers.tokens import Keyring
from subscribers.upsert import table

#: After so long a relay that was in trouble of a kind that passes is tried again.
PASSES = timedelta(minutes=15)
#: What nothing but a person takes up again.
_FOR_A_PERSON = (Stop.ASKED, Stop.BREAKER)
_ISSUE = table(Issue)


class _Past(Refused):
    """An issue that was due is not any more."""


class Why(StrEnum):
    """Why an issue goes on now."""

    #: its hour has come
    SCHEDULED = "scheduled"
    #: one of its subjects has won, and the rest gets it under that one
    WINNER = "winner"
    #: copies that a relay put off may be tried again
    RETRY = "retry"
    #: its sender was interrupted, or died
    INTERRUPTED = "interrupted"
    #: the relays were in trouble, and that may have passed
    RELAY = "relay"
    #: somebody gave it up, and its sender did not live to hear of it: nobody gets it any more
    CANCEL = "cancel"


@dataclass(frozen=True, kw_only=True)
class Due:
    """An issue that goes on now, in the name of who scheduled or planned it."""

    issue: int
    why: Why
    order: Order
    actor: str


@dataclass(frozen=True, kw_only=True)
class Round:
    """What there is to do; `busy` are issues that somebody sends now, `missed` those found too late in this round.

    `held` came by themselves, and their hour has come; they go out when somebody clears them.
    """

    due: tuple[Due, ...]
    busy: tuple[int, ...]
    missed: tuple[ScheduleView, ...]
    held: tuple[ScheduleView, ...] = ()


def terms(order: Order) -> dict[str, Any]:
    """Return an order as a schedule keeps it."""
    return {**asdict(order), "lists": list(order.lists), "segments": list(order.segments)}


def order(terms: Mapping[str, Any]) -> Order:
    """Return the order that a schedule has kept."""
    return Order(**{**terms, "share": Share(**terms.get("share", {}))})


def onward(session: Session, issue_id: int) -> Order:
    """Return the order that goes on with an issue as far as it had come: with its share, or with the rest."""
    divided = _any(session, issue_id, DELIVERY.c.part == 1)
    return Order(share=Share(rest=divided and subject_tests.rest_began(session, issue_id)))


def look(session: Session, settings: Settings, *, now: datetime) -> Round:
    """Return what there is to do now; a schedule that nothing looked for in time is marked as missed."""
    known = {each.issue for each in schedules.all(session) if each.missed}
    ready = schedules.due(session, now, timedelta(hours=settings.sending.late))
    missed = (each for each in schedules.all(session) if each.missed and each.issue not in known)
    held = [each for each in ready if _unseen(session, each.issue)]
    begin = [_begins(each) for each in ready if each not in held]
    rows = _on_their_way(session)
    busy = [row.issue_id for row in rows if ledger.holder(session, row.issue_id, now=now)[1]]
    go_on = [due for row in rows if row.issue_id not in busy for due in _due(session, settings, row, now)]
    return Round(due=(*begin, *go_on), busy=tuple(busy), missed=tuple(missed), held=tuple(held))


def _begins(each: ScheduleView) -> Due:
    return Due(issue=each.issue, why=Why.SCHEDULED, order=order(each.terms), actor=each.actor)


def _unseen(session: Session, issue_id: int) -> bool:
    """Return whether an issue came by itself, and nobody has said yes to it as it stands."""
    return bool(editions.of(session, [issue_id])) and clearing.standing(session, issue_id) is None


def take_up(
    engine: Engine, settings: Settings, due: Due, *, keyring: Keyring, clock: Clock = utc_now,
    progress: Progress | None = None,
) -> Status | None:  # fmt: skip
    """Send what is due, or give it up, and return how it stands; None when somebody else has it, or it is due no more.

    The look may be hours old: what a person or another pass did since then counts. A scheduled issue is looked at again
    before it begins, as a person's send is.
    """
    try:
        if due.why is Why.CANCEL:
            return _cancel(engine, settings, due.issue, now=clock())
        if due.why is Why.SCHEDULED:
            _require_fit(engine, settings, due, keyring=keyring, now=clock())
        return sending.send(
            engine, settings, due.issue, due.order, keyring=keyring, actor=due.actor, clock=clock, progress=progress,
            still=lambda session: _require_due(session, settings, due, clock()),
        )  # fmt: skip
    except _Past:
        return None
    except Refused:
        with db.reading(engine) as session:
            worker, lives = ledger.holder(session, due.issue, now=clock())
        if lives and worker != ledger.this_worker():
            return None
        raise


def _cancel(engine: Engine, settings: Settings, issue_id: int, *, now: datetime) -> Status | None:
    if not controls.cancel_as_asked(engine, settings, issue_id, now=now):
        return None
    with db.reading(engine) as session:
        return report.status(session, issue_id, now=now)


def _require_fit(engine: Engine, settings: Settings, due: Due, *, keyring: Keyring, now: datetime) -> None:
    with db.reading(engine) as session:
        _require_due(session, settings, due, now)
        roles.require(session, due.actor, Role.SENDER)
        blocking = gate.blocks(inspection.inspect(session, due.issue, settings, keyring=keyring, now=now))
    if blocking:
        raise Blocked(f"issue {due.issue} was to begin, and cannot be sent; what blocks it:", blocking)


def _require_due(session: Session, settings: Settings, due: Due, now: datetime) -> None:
    """Refuse unless a look would find the same now, with the same reason and the same order."""
    if due.why is Why.SCHEDULED:
        each = schedules.find(session, due.issue)
        begins = each and not each.missed and each.at <= now and not _unseen(session, due.issue)
        found = [_begins(each)] if each and begins else []
    else:
        rows = [row for row in _on_their_way(session) if row.issue_id == due.issue]
        found = [again for row in rows for again in _due(session, settings, row, now)]
    if due not in found:
        raise _Past(f"issue {due.issue} is not due any more")


def _on_their_way(session: Session) -> list[Row[Any]]:
    columns = (AUDIENCE.c.issue_id, AUDIENCE.c.stop, AUDIENCE.c.ask, AUDIENCE.c.planned_by, _ISSUE.c.state)
    query = select(*columns).join(_ISSUE, _ISSUE.c.id == AUDIENCE.c.issue_id)
    on_its_way = _ISSUE.c.state.in_((IssueState.SENDING, IssueState.PAUSED))
    return list(session.execute(query.where(on_its_way).order_by(AUDIENCE.c.issue_id)))


def _due(session: Session, settings: Settings, row: Row[Any], now: datetime) -> Iterator[Due]:
    """Yield the issue that nobody sends, if it goes on by itself now."""
    issue_id = row.issue_id
    why = _why(session, settings, row, now)
    if why is not None:
        order = Order(share=Share(rest=True)) if why is Why.WINNER else onward(session, issue_id)
        yield Due(issue=issue_id, why=why, order=order, actor=row.planned_by)


def _why(session: Session, settings: Settings, row: Row[Any], now: datetime) -> Why | None:
    if row.ask is Ask.CANCEL:
        return Why.CANCEL
    died = row.state is IssueState.SENDING
    # A sender may die before it heeds what is asked of it, or what its breaker says.
    if row.ask is Ask.PAUSE or row.stop in _FOR_A_PERSON:
        return None
    if row.stop is Stop.RELAY and not died and not _may_have_passed(session, settings, now):
        return None
    if not subject_tests.rest_began(session, row.issue_id):
        if _has_winner(session, row.issue_id, now):
            return Why.WINNER
        if _share_is_out(session, row.issue_id):
            return None
    if died:
        return Why.INTERRUPTED
    match row.stop:
        case Stop.WAITING:
            return Why.RETRY if _is_due(session, row.issue_id, now) else None
        case Stop.NONE | Stop.INTERRUPTED:
            return Why.INTERRUPTED
        case Stop.RELAY:
            return Why.RELAY
    return None


def _has_winner(session: Session, issue_id: int, now: datetime) -> bool:
    return (
        subject_tests.find(session, issue_id) is not None
        and subject_tests.winner(session, issue_id, now=now) is not None
    )


def _share_is_out(session: Session, issue_id: int) -> bool:
    """Return whether there is a share that goes first, and nobody of it waits."""
    waits = DELIVERY.c.state.in_(ledger.WAITING)
    first = DELIVERY.c.part == 1
    return _any(session, issue_id, first) and not _any(session, issue_id, first, waits)


def _any(session: Session, issue_id: int, *such: ColumnElement[bool]) -> bool:
    one = select(DELIVERY.c.id).where(DELIVERY.c.issue_id == issue_id, *such).limit(1)
    return session.scalar(one) is not None


def _is_due(session: Session, issue_id: int, now: datetime) -> bool:
    first = ledger.next_due(session, issue_id)
    return (first is not None and first <= now) or ledger.counts(session, issue_id)[DeliveryState.PENDING] > 0


def _may_have_passed(session: Session, settings: Settings, now: datetime) -> bool:
    """Return whether any relay gave no trouble, or one of a kind that passes, a while ago."""
    known = relays.troubles(session)
    found = (known.get(each.name) for each in settings.relay)
    return any(each is None or (each.temporary and each.changed_at + PASSES <= now) for each in found)
