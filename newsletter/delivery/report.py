"""How a send stands: counts for each state, and who did not get it and why."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from newsletter.delivery import ledger, planning, rehearsals, relays, schedules, stops
from newsletter.delivery.models import DeliveryState, Stop
from newsletter.delivery.rehearsals import RehearsalView
from newsletter.delivery.results import RESENT
from newsletter.delivery.schedules import ScheduleView
from newsletter.delivery.tables import DELIVERY, SUBSCRIBER
from newsletter.errors import BadInput
from newsletter.issues import issues
from newsletter.issues.models import IssueState


@dataclass(frozen=True, kw_only=True)
class Status:
    """An issue's counts: `audience` is the sum of all states; `resent` counts copies that may be second ones.

    `worker` is the sender that lives; `died` is one that took the issue and gives no sign of life.
    `rehearsal` is the dry run of an issue whose audience is not planned, `schedule` when it is to begin. `stop` says
    of what kind a pause is; `relays` are those paused for refusing us, with their words.
    """

    issue: int
    state: IssueState
    note: str
    audience: int
    sent: int
    failed: int
    skipped: int
    unknown: int
    deferred: int
    pending: int
    sending: int
    resent: int
    reasons: dict[str, dict[str, int]]
    worker: str
    died: str
    started: datetime | None
    finished: datetime | None
    next_due: datetime | None
    rate: float
    rehearsal: RehearsalView | None
    schedule: ScheduleView | None = None
    stop: Stop = Stop.NONE
    relays: dict[str, str] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Return how many readers may still get their copy."""
        return self.pending + self.sending + self.deferred

    def as_json(self) -> dict[str, Any]:
        """Return the status in the words of the command line's JSON."""
        return {
            "issue": self.issue, "state": self.state.value, "audience": self.audience,
            "sent": self.sent, "failed": self.failed, "skipped": self.skipped, "deferred": self.deferred,
            "unknown": self.unknown, "pending": self.pending, "sending": self.sending,
            "resent": self.resent, "reasons": self.reasons, "rate": self.rate, "note": self.note,
            "worker": self.worker, "started": _iso(self.started), "finished": _iso(self.finished),
            "next_due": _iso(self.next_due), "rehearsal": _rehearsal(self.rehearsal),
            "schedule": self.schedule.as_json() if self.schedule else None, "stop": self.stop.value,
            "relays": self.relays,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One reader of an issue: what became of their copy, the reason, and the relay's last reply verbatim."""

    email: str
    state: DeliveryState
    reason: str
    reply: str
    attempts: int
    due_at: datetime | None


def status(session: Session, issue_id: int, *, now: datetime | None = None) -> Status:
    """Return how the issue stands; before its audience is planned, every count is 0."""
    issue = issues.get(session, issue_id)
    plan = planning.find(session, issue_id)
    counts = ledger.counts(session, issue_id)
    sent = counts[DeliveryState.SENT]
    started = plan.planned_at if plan else None
    worker, lives = ledger.holder(session, issue_id, now=now or datetime.now(UTC))
    return Status(
        issue=issue_id,
        state=issue.state,
        note=issue.note,
        audience=plan.size if plan else 0,
        **{state.value: count for state, count in counts.items()},
        resent=_resent(session, issue_id),
        reasons=_reasons(session, issue_id),
        worker=worker if lives else "",
        died="" if lives else worker,
        started=started,
        finished=issue.sent_at,
        next_due=ledger.next_due(session, issue_id),
        rate=_rate(sent, started, _last_sent(session, issue_id)),
        rehearsal=rehearsals.find(session, issue_id),
        schedule=schedules.find(session, issue_id),
        stop=stops.of(session, issue_id) if issue.state is IssueState.PAUSED else Stop.NONE,
        relays={name: trouble.reason for name, trouble in relays.troubles(session).items()},
    )


def who(session: Session, issue_id: int, state: str) -> list[Standing]:
    """Return the readers whose copy is in a state, by its word, in the order of the ledger."""
    try:
        asked = DeliveryState(state)
    except ValueError as error:
        raise BadInput(f"{state!r} is no state of a delivery; they are {', '.join(DeliveryState)}") from error
    issues.get(session, issue_id)
    query = (
        select(
            func.coalesce(SUBSCRIBER.c.email, "(erased)").label("email"), DELIVERY.c.state, DELIVERY.c.reason,
            DELIVERY.c.reply, DELIVERY.c.attempts, DELIVERY.c.due_at,
        )
        .join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id, isouter=True)
        .where(DELIVERY.c.issue_id == issue_id, DELIVERY.c.state == asked)
        .order_by(DELIVERY.c.id)
    )  # fmt: skip
    return [Standing(**row._mapping) for row in session.execute(query)]


def _resent(session: Session, issue_id: int) -> int:
    query = select(func.count()).where(DELIVERY.c.issue_id == issue_id, DELIVERY.c.reason == RESENT)
    count: int = session.execute(query).scalar_one()
    return count


def _reasons(session: Session, issue_id: int) -> dict[str, dict[str, int]]:
    """Return the reasons with their counts, under each state that has any."""
    query = (
        select(DELIVERY.c.state, DELIVERY.c.reason, func.count())
        .where(DELIVERY.c.issue_id == issue_id, DELIVERY.c.reason != "")
        .group_by(DELIVERY.c.state, DELIVERY.c.reason)
        .order_by(DELIVERY.c.state, DELIVERY.c.reason)
    )
    found: dict[str, dict[str, int]] = {}
    for state, reason, count in session.execute(query):
        found.setdefault(state.value, {})[reason] = count
    return found


def _last_sent(session: Session, issue_id: int) -> datetime | None:
    newest = func.max(DELIVERY.c.changed_at, type_=DELIVERY.c.changed_at.type)
    query = select(newest).where(DELIVERY.c.issue_id == issue_id, DELIVERY.c.state == DeliveryState.SENT)
    last: datetime | None = session.execute(query).scalar()
    return last


def _rate(sent: int, started: datetime | None, last: datetime | None) -> float:
    seconds = (last - started).total_seconds() if started and last else 0.0
    return round(sent / seconds, 1) if seconds > 0 else 0.0


def _rehearsal(found: RehearsalView | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "lists": list(found.lists), "segments": list(found.segments), "audience": found.size, "at": _iso(found.at),
        "actor": found.actor,
    }  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
