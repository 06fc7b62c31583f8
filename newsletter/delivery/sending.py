"""The send: an audience is planned, an issue taken, a run sent, and the issue left sent, or paused with the reason.

Between two transactions of the run the journals know how far each copy got, so that the process may die anywhere and
the same call goes on from there.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from newsletter import audit, db
from newsletter.delivery import (
    carriers,
    controls,
    journal,
    ledger,
    making,
    planning,
    readers,
    recovery,
    report,
    results,
    shares,
    stops,
    subject_tests,
)  # fmt: skip
from newsletter.delivery.books import Clock, patiently
from newsletter.delivery.ledger import Hold
from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.planning import PlanView
from newsletter.delivery.pulse import Progress
from newsletter.delivery.report import Status
from newsletter.delivery.shares import WHOLE, Share
from newsletter.delivery.shift import Shift
from newsletter.delivery.work import Work
from newsletter.editorial import briefings
from newsletter.errors import NewsletterError
from newsletter.issues import clearing, contents, issues
from newsletter.rendering import press
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from newsletter.words import counted
from subscribers.tokens import Keyring


def utc_now() -> datetime:
    """Return the moment."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be sent to whom: which lists and segments, which share of them now, and how patiently.

    `rehearsed` refuses an audience that no dry run counted; `wait` stays for copies that relays put off.
    """

    lists: Sequence[str] = ()
    segments: Sequence[str] = ()
    rehearsed: bool = False
    share: Share = WHOLE
    wait: bool = False


def plan(engine: Engine, settings: Settings, issue_id: int, order: Order, *, actor: str, now: datetime) -> PlanView:
    """Take the issue into sending with its audience planned, its texts and its rendering checked once more."""
    with db.transaction(engine) as session:
        rendered = press.load(session, issue_id)
        return _plan(session, settings, issue_id, order, rendered, actor=actor, now=now)


def _plan(
    session: Session, settings: Settings, issue_id: int, order: Order, rendered: Rendered, *, actor: str, now: datetime
) -> PlanView:
    settings.require("publication.postal_address", "a send")
    texts = issues.get(session, issue_id).items
    briefings.refresh(session, settings.briefings, actor=actor, now=now, only=texts)  # an edit a moment ago counts too
    if settings.publication.clearance:
        clearing.require(session, issue_id)
    contents.begin_sending(session, issue_id, actor=actor, now=now)
    planned = planning.plan(
        session, issue_id, lists=order.lists, segments=order.segments, batch=settings.sending.batch,
        share=order.share.sample, variants=len(rendered.subjects) if order.share.sample else 1,
        rehearsed=order.rehearsed, actor=actor, now=now,
    )  # fmt: skip
    if not planned.new:
        audit.append(session, "resumed", actor=actor, kind="issue", name=issue_id, now=now)
    return planned


def send(
    engine: Engine,
    settings: Settings,
    issue_id: int,
    order: Order = Order(),
    *,
    keyring: Keyring,
    actor: str = "desk",
    clock: Clock = utc_now,
    tell: Callable[[PlanView], None] | None = None,
    progress: Progress | None = None,
    trust: ssl.SSLContext | None = None,
    still: Callable[[Session], None] | None = None,
) -> Status:
    """Send the issue to everyone who is due, or go on where an earlier send stopped; return how it stands.

    The issue is then `sent`, or `paused` with the reason in its note: readers whom the relay put off, or an
    interruption. Raises RelayError, with the issue paused, when every relay refuses for reasons of its own, or too much
    goes wrong. `tell` hears of the plan before the first message; `trust` is what relays' certificates are checked by.
    `still` may refuse, in the transaction that takes the issue, what is not to be sent any more.
    """
    there = carriers.of(settings, trust=trust)
    planned, shift = _begin(engine, settings, issue_id, order, keyring=keyring, actor=actor, clock=clock, still=still)
    with _paused_by_errors(engine, shift.hold, actor, clock):
        if tell:
            tell(planned)
        _recover(engine, settings, shift.hold, actor=actor, now=clock())
        work = shift.run(there, progress)
        _leave(shift, work, actor)
    if work.error:
        raise work.error
    with db.reading(engine) as session:
        return report.status(session, issue_id, now=clock())


def _begin(
    engine: Engine, settings: Settings, issue_id: int, order: Order, *, keyring: Keyring, actor: str, clock: Clock,
    still: Callable[[Session], None] | None,
) -> tuple[PlanView, Shift]:  # fmt: skip
    now = clock()
    with db.transaction(engine) as session:
        stops.lock(session, issue_id)
        if still:
            still(session)
        stops.require_wanted(session, issue_id)
        rendered = press.load(session, issue_id)
        lookup = readers.lookup(session, rendered.personal.needs, now=now)
        planned = _plan(session, settings, issue_id, order, rendered, actor=actor, now=now)
        part = shares.take_up(session, issue_id, order.share, planned=planned, subjects=rendered.subjects, now=now)
        make = making.make(settings, issue_id, rendered, date=planned.planned_at, keyring=keyring)
        hold = ledger.take(session, issue_id, worker=ledger.this_worker(), now=now)
    return planned, Shift(
        engine=engine, settings=settings, hold=hold, make=make, lookup=lookup, part=part, limit=order.share.limit,
        wait=order.wait, clock=clock,
    )  # fmt: skip


def _recover(engine: Engine, settings: Settings, hold: Hold, *, actor: str, now: datetime) -> None:
    # After the fence has moved, and not with it: from here on the dead sender, should it live, begins no message.
    folder, policy = settings.path("journal"), results.policy(settings.sending)
    left = patiently(
        engine, lambda session: recovery.recover(session, hold, folder, policy=policy, actor=actor, now=now)
    )
    for path in left:
        path.unlink(missing_ok=True)


def _leave(shift: Shift, work: Work, actor: str) -> None:
    waiting = patiently(shift.engine, lambda session: _close_or_pause(session, work, shift, actor))
    if waiting == 0:
        journal.sweep(shift.settings.path("journal"), shift.hold.issue_id)


def _close_or_pause(session: Session, work: Work, shift: Shift, actor: str) -> int:
    issue_id, now = shift.hold.issue_id, work.books.clock()
    stops.lock(session, issue_id)
    ask = stops.ask_of(session, issue_id)  # also what came after the run's last look
    if ask is Ask.CANCEL:
        controls.finish_cancel(session, issue_id, actor=actor, now=now)
        ledger.release(session, shift.hold)
        return 0
    counts = ledger.counts(session, issue_id)
    waiting = sum(counts[state] for state in ledger.WAITING)
    if waiting == 0:
        ledger.close(session, issue_id, actor=actor, now=now)
    else:
        stop, reason = _standing(session, work, shift, waiting)
        if stop is Stop.PART:
            shares.out(session, issue_id)
        contents.pause(session, issue_id, reason=reason)
        stops.write(session, issue_id, stop)
        audit.append(session, "paused", actor=actor, kind="issue", name=issue_id, now=now, waiting=waiting)
    # Last, as planning locks the issue before the audience too: the other order can end in a deadlock.
    ledger.release(session, shift.hold)
    return waiting


def _standing(session: Session, work: Work, shift: Shift, waiting: int) -> tuple[Stop, str]:
    """Return why the issue is paused, with the words for it."""
    issue_id = shift.hold.issue_id
    if stops.ask_of(session, issue_id) is Ask.PAUSE:
        return Stop.ASKED, _as_asked(session, issue_id)
    limited = shift.limit and work.stop is Stop.INTERRUPTED  # of the rest, nobody has said that it is to go out
    if work.stop is Stop.PART or limited or (work.stop is Stop.NONE and shares.is_out(session, issue_id, shift.part)):
        return Stop.PART, f"a share of the audience has it, and {waiting} wait{_after_share(session, issue_id)}"
    if work.stop is not Stop.NONE:
        return work.stop, work.reason
    due = ledger.next_due(session, issue_id)
    when = f", the first from {due:%Y-%m-%d %H:%M} UTC" if due else ""
    who = counted(waiting, "reader waits", "readers wait")
    return Stop.WAITING, f"{who} for another attempt{when}; then run: newsletter send {issue_id}"


def _after_share(session: Session, issue_id: int) -> str:
    trial = subject_tests.find(session, issue_id)
    if trial and trial.winner is None:
        return f". {trial}. Then newsletter deliver sends the rest"
    return f"; send the rest: newsletter send {issue_id} --rest"


@contextmanager
def _paused_by_errors(engine: Engine, hold: Hold, actor: str, clock: Clock) -> Iterator[None]:
    """Leave the issue paused and free when the block ends by any error, unless another sender has it by then.

    The journals stay: the next send reads what the ledger did not hear.
    """
    try:
        yield
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt | asyncio.CancelledError)
        reason = "stopped before its end" if stopped else str(error) or repr(error)
        with suppress(NewsletterError, SQLAlchemyError), db.transaction(engine) as session:
            _put_by(session, hold, reason, actor=actor, now=clock())
        raise


def _put_by(session: Session, hold: Hold, reason: str, *, actor: str, now: datetime) -> None:
    issue_id, left = hold.issue_id, Ask.NONE
    stops.lock(session, issue_id)
    stop = stops.of(session, issue_id) or Stop.INTERRUPTED  # a limit or the breaker may have kept its own
    match stops.ask_of(session, issue_id):
        case Ask.PAUSE:
            stop, reason = Stop.ASKED, f"{_as_asked(session, issue_id)}; its sender ended: {reason}"
        case Ask.CANCEL:  # whoever comes next records what the journals tell, and gives it up
            left, who = Ask.CANCEL, stops.asked_by(session, issue_id)
            reason = f"to be cancelled, as {who} asked: newsletter issues cancel {issue_id}; its sender ended: {reason}"
    contents.pause(session, issue_id, reason=reason)
    stops.write(session, issue_id, stop, ask=left)
    ledger.release(session, hold)
    audit.append(session, "paused", actor=actor, kind="issue", name=issue_id, now=now)


def _as_asked(session: Session, issue_id: int) -> str:
    return f"paused by {stops.asked_by(session, issue_id)}; go on: newsletter resume {issue_id}"
