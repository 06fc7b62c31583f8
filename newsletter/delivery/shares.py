"""Shares: sending to some of an audience now and to the rest later, each step by somebody's word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from newsletter.delivery import ledger, stops, subject_tests
from newsletter.delivery.models import Stop
from newsletter.delivery.planning import PlanView
from newsletter.delivery.tables import BATCH, DELIVERY
from newsletter.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Share:
    """How much of an audience a send is for.

    `sample` is the part of it, chosen by lot, that goes first (0.05); `limit` is how many messages leave in this run;
    `rest` is everybody whom such a send left. `decide` and `hours` say how and when a trial of subjects ends.
    """

    sample: float = 0.0
    limit: int = 0
    rest: bool = False
    decide: str = ""
    hours: float = 0.0


#: The whole audience at once.
WHOLE = Share()


def take_up(
    session: Session, issue_id: int, share: Share, *, planned: PlanView, subjects: Sequence[str], now: datetime
) -> int | None:
    """Return which part of the audience a send may claim now, None for all; refuse what nobody has said yet.

    Until a send with a limit ends, the issue stands as stopped after a share: killed, it must not go on to all.
    """
    part = _part(session, issue_id, share, planned=planned, subjects=subjects, now=now)
    stops.write(session, issue_id, Stop.PART if share.limit else Stop.NONE)
    return part


def _part(
    session: Session, issue_id: int, share: Share, *, planned: PlanView, subjects: Sequence[str], now: datetime
) -> int | None:
    if planned.new:
        if share.sample and len(subjects) > 1:
            subject_tests.begin(session, issue_id, share=share.sample, decide=share.decide or "hand", hours=share.hours)
        return 1 if share.sample else None
    if share.sample:
        raise Refused(
            f"issue {issue_id} is on its way, and a sample is drawn before the first copy leaves; go on: "
            f"newsletter send {issue_id} --rest, or so many more: --limit N"
        )
    if share.rest:
        _require_winner(session, issue_id, now)
        return None
    if _divided(session, issue_id):
        if not _waiting(session, issue_id, 1):
            _require_winner(session, issue_id, now)
            raise _needs_a_word(session, issue_id)
        return 1
    if stops.of(session, issue_id) is Stop.PART and not share.limit:
        raise _needs_a_word(session, issue_id)
    return None


def out(session: Session, issue_id: int) -> None:
    """Let the hours of a trial of subjects run, where the share that tries them is out."""
    if subject_tests.find(session, issue_id):
        subject_tests.sampled(session, issue_id)


def is_out(session: Session, issue_id: int, part: int | None) -> bool:
    """Return whether the share that a send was for is done, while others of the audience wait."""
    return part is not None and not _waiting(session, issue_id, part)


def _require_winner(session: Session, issue_id: int, now: datetime) -> None:
    found = subject_tests.find(session, issue_id)
    if found and subject_tests.winner(session, issue_id, now=now) is None:
        raise Refused(
            f"the trial of subjects of issue {issue_id} has no winner yet; see how they do, or choose: newsletter "
            f"issues winner {issue_id}"
        )


def _needs_a_word(session: Session, issue_id: int) -> Refused:
    waiting = sum(ledger.counts(session, issue_id)[state] for state in ledger.WAITING)
    return Refused(
        f"a share of the audience has issue {issue_id}, and {waiting} wait for a word: newsletter send {issue_id} "
        "--rest, or --limit N for so many of them"
    )


def _divided(session: Session, issue_id: int) -> bool:
    of_share = select(BATCH.c.id).where(BATCH.c.issue_id == issue_id, BATCH.c.part == 1).limit(1)
    return session.scalar(of_share) is not None


def _waiting(session: Session, issue_id: int, part: int) -> int:
    there = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.part == part, DELIVERY.c.state.in_(ledger.WAITING))
    count: int = session.execute(select(func.count()).where(*there)).scalar_one()
    return count
