"""Controls: what a person asks of an issue that is on its way. A sender that runs is asked; else it is done at once."""

import time
from datetime import datetime

from sqlalchemy import Engine, case, literal, select, update
from sqlmodel import Session

from newsletter import audit, db
from newsletter.delivery import ledger, recovery, results, schedules, stops
from newsletter.delivery.books import Clock
from newsletter.delivery.ledger import Hold
from newsletter.delivery.models import Ask, BatchState, DeliveryState, Stop
from newsletter.delivery.results import MAY_HAVE_IT, RESENT
from newsletter.delivery.tables import AUDIENCE, BATCH, DELIVERY
from newsletter.editorial import standings
from newsletter.editorial.models import BriefingState
from newsletter.errors import Refused
from newsletter.issues import corrections, issues
from newsletter.issues.models import IssueState, Item
from newsletter.settings import Settings
from subscribers.upsert import table

#: The reason of a copy that nobody gets any more.
CANCELLED = "cancelled"
_ON_ITS_WAY = (IssueState.SENDING, IssueState.PAUSED)
_ITEM = table(Item)


def pause_soon(engine: Engine, issue_id: int, *, patience: float, actor: str, clock: Clock) -> bool:
    """Pause an issue and wait until its sender has stopped; False when that takes longer than `patience` seconds.

    A sender that was ending by itself when it was asked may not have heard: then it is done at once after that.
    """
    while True:
        with db.transaction(engine) as session:
            heeded = stops.of(session, issue_id) is Stop.ASKED and not _runs(session, issue_id, clock)
            if heeded or pause(session, issue_id, actor=actor, now=clock()):
                return True
        if not _ended(engine, issue_id, patience, clock):
            return False


def cancel_soon(
    engine: Engine, settings: Settings, issue_id: int, *, patience: float, actor: str, clock: Clock
) -> bool:
    """Give an issue up and wait until its sender has stopped; False when that takes longer than `patience` seconds."""
    while not cancel(engine, settings, issue_id, actor=actor, now=clock()):
        if not _ended(engine, issue_id, patience, clock):
            return False
        with db.reading(engine) as session:
            if issues.get(session, issue_id).state is IssueState.CANCELLED:
                return True
    return True


def _runs(session: Session, issue_id: int, clock: Clock) -> bool:
    return ledger.holder(session, issue_id, now=clock())[1]


def _ended(engine: Engine, issue_id: int, patience: float, clock: Clock) -> bool:
    """Return whether the sender of an issue ends within so many seconds."""
    until = time.monotonic() + patience
    while True:
        with db.reading(engine) as session:
            if not _runs(session, issue_id, clock):
                return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)


def pause(session: Session, issue_id: int, *, actor: str, now: datetime) -> bool:
    """Stop an issue on its way until somebody resumes it; False when its sender is asked to, which takes a moment."""
    stops.lock(session, issue_id)
    _require_on_its_way(session, issue_id, "paused")
    running = ledger.holder(session, issue_id, now=now)[1]
    action = "pause asked" if running else "paused"
    audit.append(session, action, actor=actor, kind="issue", name=issue_id, now=now)
    if running:
        _ask(session, issue_id, Ask.PAUSE, actor)
        return False
    note = f"paused by {actor}; go on: newsletter resume {issue_id}"
    issues.move(session, issue_id, IssueState.PAUSED, since=_ON_ITS_WAY, note=note)
    _ask(session, issue_id, Ask.NONE, actor)
    stops.write(session, issue_id, Stop.ASKED)
    return True


def resume(session: Session, issue_id: int, *, actor: str, now: datetime) -> bool:
    """Take back what was asked of an issue on its way; True when a sender has to take it up again."""
    stops.lock(session, issue_id)
    _require_on_its_way(session, issue_id, "resumed")
    audit.append(session, "resume asked", actor=actor, kind="issue", name=issue_id, now=now)
    _ask(session, issue_id, Ask.NONE, actor)
    if ledger.holder(session, issue_id, now=now)[1]:
        return False
    if stops.of(session, issue_id) is Stop.ASKED:
        stops.write(session, issue_id, Stop.NONE)
    return True


def cancel(engine: Engine, settings: Settings, issue_id: int, *, actor: str, now: datetime) -> bool:
    """Give an issue up: who has it keeps it, and who waits gets nothing; False when its sender is asked to stop first.

    It opens its transactions itself: what a dead sender achieved is recorded only after its right has gone.
    """
    with db.transaction(engine) as session:
        stops.lock(session, issue_id)
        if issues.get(session, issue_id).state not in _ON_ITS_WAY:
            schedules.forget(session, issue_id)
            issues.cancel(session, issue_id, actor=actor, now=now)
            return True
        _ask(session, issue_id, Ask.CANCEL, actor)  # stands until it is done, whoever dies before that
        if ledger.holder(session, issue_id, now=now)[1]:
            audit.append(session, "cancel asked", actor=actor, kind="issue", name=issue_id, now=now)
            return False
        hold = ledger.take(session, issue_id, worker=ledger.this_worker(), now=now)
    _give_up(engine, settings, hold, actor=actor, now=now)
    return True


def cancel_as_asked(engine: Engine, settings: Settings, issue_id: int, *, now: datetime) -> bool:
    """Give an issue up whose sender died before it heard of that; False when nobody asks for it any more.

    Refused while a sender lives: it hears of it.
    """
    with db.transaction(engine) as session:
        stops.lock(session, issue_id)
        if stops.ask_of(session, issue_id) is not Ask.CANCEL:
            return False
        actor = stops.asked_by(session, issue_id)
        hold = ledger.take(session, issue_id, worker=ledger.this_worker(), now=now)
    _give_up(engine, settings, hold, actor=actor, now=now)
    return True


def _give_up(engine: Engine, settings: Settings, hold: Hold, *, actor: str, now: datetime) -> None:
    folder, policy = settings.path("journal"), results.policy(settings.sending)
    with db.transaction(engine) as session:
        stops.lock(session, hold.issue_id)
        left = recovery.recover(session, hold, folder, policy=policy, actor=actor, now=now)
        finish_cancel(session, hold.issue_id, actor=actor, now=now)
        ledger.release(session, hold)
    for path in left:
        path.unlink(missing_ok=True)


def finish_cancel(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Close an issue that is given up: whoever waits is skipped, and everybody of its audience is accounted for.

    To be called when no copy is on the wire. Its briefings are free for another issue only if nobody has a copy.
    """
    waits = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.state.in_(ledger.WAITING))
    doubt = case((DELIVERY.c.reason == RESENT, literal(CANCELLED + MAY_HAVE_IT)), else_=literal(CANCELLED))
    nothing = update(DELIVERY).where(*waits)
    session.execute(nothing.values(state=DeliveryState.SKIPPED, reason=doubt, changed_at=now, due_at=None))
    done = update(BATCH).where(BATCH.c.issue_id == issue_id)
    session.execute(done.values(state=BatchState.DONE))
    counts = ledger.counts(session, issue_id)
    size = session.execute(select(AUDIENCE.c.size).where(AUDIENCE.c.issue_id == issue_id)).scalar_one()
    if sum(counts.values()) != size:
        raise Refused(
            f"issue {issue_id} cannot be cancelled: its audience is {size}, and {sum(counts.values())} are in the "
            f"ledger; see who: newsletter status {issue_id}"
        )
    have = counts[DeliveryState.SENT]
    note = f"cancelled by {actor}: {have} of {size} have it"
    issues.move(session, issue_id, IssueState.CANCELLED, since=_ON_ITS_WAY, note=note)
    stops.write(session, issue_id, Stop.NONE)
    if not _may_have_it(session, issue_id):
        _free_briefings(session, issue_id, now)
        corrections.take_back(session, issue_id)
    audit.append(session, "cancelled", actor=actor, kind="issue", name=issue_id, now=now, sent=have, audience=size)


def _require_on_its_way(session: Session, issue_id: int, what: str) -> None:
    issue = issues.get(session, issue_id)
    if issue.state in _ON_ITS_WAY:
        return
    step = issues.next_step(issue)
    if waiting := schedules.find(session, issue_id):
        step = f"It {waiting}. Take that time away: newsletter schedule remove {issue_id}"
    raise Refused(f"issue {issue_id} is {issues.standing(issue.state)}, and only one on its way can be {what}. {step}")


def _ask(session: Session, issue_id: int, ask: Ask, actor: str) -> None:
    asked = update(AUDIENCE).where(AUDIENCE.c.issue_id == issue_id)
    session.execute(asked.values(ask=ask, asked_by=actor))


def _may_have_it(session: Session, *issues_: int) -> bool:
    """Return whether any reader has a copy of one of the issues, or may have one."""
    there = (DeliveryState.SENT, DeliveryState.UNKNOWN)
    got = DELIVERY.c.state.in_(there) | DELIVERY.c.reason.endswith(MAY_HAVE_IT, autoescape=True)
    return session.scalar(select(DELIVERY.c.id).where(DELIVERY.c.issue_id.in_(issues_), got).limit(1)) is not None


def _free_briefings(session: Session, issue_id: int, now: datetime) -> None:
    """Let the briefings of an issue that nobody got count as approved again, but for those that others brought."""
    for item in issues.items(session, issue_id):
        held = select(_ITEM.c.issue_id).where(_ITEM.c.briefing_id == item.briefing_id, _ITEM.c.issue_id != issue_id)
        standing = standings.get(session, item.briefing_id)
        if standing.state is BriefingState.SENT and not _may_have_it(session, *session.execute(held).scalars()):
            standings.move(session, standing, BriefingState.APPROVED, since=(BriefingState.SENT,), now=now)
