"""Taking over from a sender that died: its journal says how far each claimed copy got."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import journal, ledger
from newsletter.delivery.journal import Told
from newsletter.delivery.ledger import Hold
from newsletter.delivery.models import BatchState, DeliveryState
from newsletter.delivery.replies import Outcome, lost
from newsletter.delivery.results import RESENT, Change, Policy, settle
from newsletter.delivery.tables import BATCH, DELIVERY


def recover(
    session: Session, hold: Hold, folder: Path, *, policy: Policy, actor: str, now: datetime
) -> tuple[Path, ...]:
    """Record what the dead senders of the issue had achieved; return their journals, to be removed after the commit.

    Among them are those of batches whose claim was never committed.
    """
    query = select(BATCH.c.id, BATCH.c.fence).where(
        BATCH.c.issue_id == hold.issue_id, BATCH.c.state == BatchState.LEASED
    )
    recorded = in_flight = untouched = 0
    leased = session.execute(query).all()
    for batch_id, fence in leased:
        told = journal.read(folder, hold.issue_id, fence=fence, batch=batch_id)
        changes, claimed, flying = _changes(session, batch_id, told, policy=policy, now=now)
        ledger.record(session, hold, batch_id, changes, relays=told.relays, now=now)
        recorded += len(changes) - flying
        in_flight += flying
        untouched += claimed - len(changes)
    if leased:
        found = {"recorded": recorded, "in_flight": in_flight, "untouched": untouched}
        audit.append(session, "recovered", actor=actor, kind="issue", name=hold.issue_id, now=now, **found)
    return journal.before(folder, hold.issue_id, fence=hold.fence)


def _changes(
    session: Session, batch_id: int, told: Told, *, policy: Policy, now: datetime
) -> tuple[dict[int, Change], int, int]:
    query = select(DELIVERY.c.id, DELIVERY.c.attempts, DELIVERY.c.waited, DELIVERY.c.reason).where(
        DELIVERY.c.batch_id == batch_id, DELIVERY.c.state == DeliveryState.SENDING
    )
    rows = session.execute(query).all()
    changes: dict[int, Change] = {}
    flying = 0
    for key, attempts, waited, reason in rows:
        outcome = _outcome(told, key)
        if outcome is None:
            continue
        replied = key in told.done
        flying += not replied
        # That a sender died says nothing against the relay: such a copy goes out again now, however often it was tried.
        tried = attempts if replied else 0
        changes[key] = settle(outcome, attempts=tried, waited=waited, resent=reason == RESENT, policy=policy, now=now)
    return changes, len(rows), flying


def _outcome(told: Told, delivery_id: int) -> Outcome | None:
    if delivery_id in told.done:
        return told.done[delivery_id]
    if delivery_id in told.begun:
        return lost("the sender died while this message was on its way", after_dot=True)
    if not told.whole:
        return lost("the sender's machine or journal was lost while it held this message", after_dot=True)
    return None
