"""Trials of subjects: a share of the audience gets the issue under several, and the rest under the one that won."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import String, and_, column, func, insert, or_, select, table, update
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery import ledger
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY, LIST, SUBJECT_TEST
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import issues
from newsletter.issues.models import IssueState

# The room that keeps these facts lies to the right of this one, and its table is known by name only.
_CLICK = table("click", column("issue_id"), column("subscriber_id"), column("by", String))

#: States of an issue whose trial can still begin.
_BEFORE = (IssueState.ASSEMBLING, IssueState.FROZEN, IssueState.CLEARED)


class Decide(StrEnum):
    """Who says which subject has won."""

    #: the share of readers who followed a link, after so many hours
    CLICKS = "clicks"
    #: a person
    HAND = "hand"


@dataclass(frozen=True, kw_only=True)
class SubjectTestView:
    """A trial: how large its share is, how and when it ends, and which subject has won, counted from 0."""

    issue: int
    share: float
    decide: Decide
    hours: float
    sampled_at: datetime | None
    winner: int | None
    decided_at: datetime | None
    decided_by: str

    @property
    def due_at(self) -> datetime | None:
        """Return when clicks decide; None where a person does, and while the share is not out."""
        if self.decide is Decide.HAND or self.sampled_at is None:
            return None
        return self.sampled_at + timedelta(hours=self.hours)

    def __str__(self) -> str:
        """Return how it stands, with the way on."""
        if self.winner is not None:
            return f"Subject {self.winner + 1} has won, by {self.decided_by}"
        by_hand = f"newsletter issues winner {self.issue} NUMBER"
        if self.decide is Decide.HAND:
            return f"Nobody has chosen yet: {by_hand}"
        when = f"on {self.due_at:%Y-%m-%d %H:%M} UTC" if self.due_at else f"{self.hours:g} hours after its share is out"
        return f"Clicks decide {when}; to choose before that: {by_hand}, or --clicks"

    def as_json(self) -> dict[str, Any]:
        """Return the trial in the words of the command line's JSON, its winner as `issues winner` takes it."""
        return {
            "issue": self.issue, "share": self.share, "decide": self.decide, "hours": self.hours,
            "sampled_at": self.sampled_at, "due_at": self.due_at,
            "winner": None if self.winner is None else self.winner + 1, "decided_at": self.decided_at,
            "decided_by": self.decided_by,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one subject does: whom it was sent to, and who of them followed a link."""

    variant: int
    subject: str
    sent: int
    clicked: int

    @property
    def rate(self) -> float:
        """Return the share of its readers who followed a link."""
        return self.clicked / self.sent if self.sent else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the score in the words of the command line's JSON, its number as `issues winner` takes it."""
        return {
            "number": self.variant + 1, "subject": self.subject, "sent": self.sent, "clicked": self.clicked,
            "rate": round(self.rate, 4),
        }  # fmt: skip


def begin(session: Session, issue_id: int, *, share: float, decide: str, hours: float) -> None:
    """Keep that the issue's subjects are on trial, as its audience is planned."""
    try:
        how = Decide(decide)
    except ValueError as error:
        raise BadInput(f"{decide!r} decides no trial of subjects; write {' or '.join(Decide)}") from error
    if hours < 0:
        raise BadInput(f"a trial of subjects cannot end {-hours:g} hours before it began; write 0 hours or more")
    if how is Decide.CLICKS:
        _require_counted(session, issue_id)
    terms = {"share": share, "decide": how, "hours": hours, "decided_by": ""}
    session.execute(insert(SUBJECT_TEST).values(issue_id=issue_id, **terms))


def _require_counted(session: Session, issue_id: int) -> None:
    counts = select(DELIVERY.c.id).join(LIST, LIST.c.id == DELIVERY.c.list_id)
    first = counts.where(DELIVERY.c.issue_id == issue_id, DELIVERY.c.part == 1, LIST.c.track_clicks).limit(1)
    if session.scalar(first) is None:
        raise Refused(
            f"no list of issue {issue_id} counts clicks, so they can decide nothing; count them: newsletter lists edit "
            "LIST --track-clicks, or choose the subject yourself: --winner hand"
        )


def find(session: Session, issue_id: int) -> SubjectTestView | None:
    """Return the trial of an issue's subjects, None where there is none."""
    row = session.execute(select(SUBJECT_TEST).where(SUBJECT_TEST.c.issue_id == issue_id)).first()
    if row is None:
        return None
    words = {name: value for name, value in row._mapping.items() if name not in ("issue_id", "decide", "sampled_at")}
    out = row.sampled_at or _out_since(session, issue_id)
    return SubjectTestView(issue=issue_id, decide=Decide(row.decide), sampled_at=out, **words)


def _out_since(session: Session, issue_id: int) -> datetime | None:
    """Return when the last of the share was tried, None while others of it were not."""
    share = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.part == 1)
    # One that a relay puts off for two days must not hold up the rest.
    first = DELIVERY.c.state.in_((DeliveryState.PENDING, DeliveryState.SENDING))
    if session.scalar(select(DELIVERY.c.id).where(*share, first).limit(1)) is not None:
        return None
    last = select(func.max(DELIVERY.c.changed_at, type_=DELIVERY.c.changed_at.type)).where(*share)
    out: datetime | None = session.execute(last).scalar()
    return out


def require(session: Session, issue_id: int) -> SubjectTestView:
    """Return the trial of an issue's subjects, or say how one is made."""
    issue = issues.get(session, issue_id)
    found = find(session, issue_id)
    if found is None and issue.alternatives and issue.state in _BEFORE:
        first = f"newsletter issues freeze {issue_id}, then " if issue.state is IssueState.ASSEMBLING else ""
        to = "" if issue.list else " --list LIST"
        raise NotFound(
            f"the trial of issue {issue_id} has not begun: {first}newsletter send {issue_id}{to} --sample 20%"
        )
    if found is None:
        raise NotFound(
            f"issue {issue_id} has no trial of subjects; give it another subject before it is frozen: newsletter "
            f"issues edit {issue_id} --or-subject WORDS, then send it to a share first: newsletter send {issue_id} "
            "--list LIST --sample 10%"
            + ("" if issue.state not in issues.FIXED else ". Its words are fixed: compose a new one")
        )
    return found


def sampled(session: Session, issue_id: int) -> SubjectTestView:
    """Return the trial, and keep since when its whole share is out, if it is: from then on its hours run."""
    found = require(session, issue_id)
    kept = update(SUBJECT_TEST).where(SUBJECT_TEST.c.issue_id == issue_id, SUBJECT_TEST.c.sampled_at.is_(None))
    session.execute(kept.values(sampled_at=found.sampled_at))
    return found


def scores(session: Session, issue_id: int) -> list[Score]:
    """Return how each subject does, in their order; only clicks that are a person's count."""
    share = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.part == 1, DELIVERY.c.state == DeliveryState.SENT)
    sent = select(DELIVERY.c.variant, func.count()).where(*share).group_by(DELIVERY.c.variant)
    clicked = (
        select(DELIVERY.c.variant, func.count(DELIVERY.c.subscriber_id.distinct()))
        .join(_CLICK, _CLICK.c.subscriber_id == DELIVERY.c.subscriber_id)
        .where(*share, _CLICK.c.issue_id == issue_id, _CLICK.c.by == "human")
        .group_by(DELIVERY.c.variant)
    )
    had, followed = dict(session.execute(sent).all()), dict(session.execute(clicked).all())
    return [
        Score(variant=number, subject=subject, sent=had.get(number, 0), clicked=followed.get(number, 0))
        for number, subject in enumerate(issues.get(session, issue_id).subjects)
    ]


def winner(session: Session, issue_id: int, *, now: datetime) -> int | None:
    """Return which subject has won, counted from 0; None as long as nobody has said, or it is too early to count.

    When its hours are over, a trial by clicks is decided here: by the best rate, and of equal ones by the first.
    """
    found = sampled(session, issue_id)
    if found.winner is not None:
        return found.winner
    if found.due_at is None or now < found.due_at:
        return None
    return by_clicks(session, issue_id, actor="clicks", now=now)


def by_clicks(session: Session, issue_id: int, *, actor: str, now: datetime) -> int:
    """Let the clicks that there are decide now, and return which subject has won."""
    best = max(scores(session, issue_id), key=lambda score: score.rate)  # of equal ones it is the first
    choose(session, issue_id, best.variant, actor=actor, now=now)
    return best.variant


def choose(session: Session, issue_id: int, number: int, *, actor: str, now: datetime) -> None:
    """Let a subject win, counted from 0: whoever still waits, and is not of the share, gets the issue under it.

    It can be chosen otherwise until the first of the rest was tried: from then on somebody may have it under that one.
    """
    require(session, issue_id)
    subjects = issues.get(session, issue_id).subjects
    if not 0 <= number < len(subjects):
        raise NotFound(f"issue {issue_id} has no subject {number + 1}; they are 1 to {len(subjects)}")
    if rest_began(session, issue_id):
        raise Refused(f"the rest of issue {issue_id} is on its way already, under the subject that has won")
    won = update(SUBJECT_TEST).where(SUBJECT_TEST.c.issue_id == issue_id)
    session.execute(won.values(winner=number, decided_at=now, decided_by=actor))
    rest = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.part == 0, DELIVERY.c.state.in_(ledger.WAITING))
    session.execute(update(DELIVERY).where(*rest).values(variant=number))
    audit.append(session, "subject chosen", actor=actor, kind="issue", name=issue_id, now=now, subject=number + 1)


def rest_began(session: Session, issue_id: int) -> bool:
    """Return whether anybody beyond the share that goes first had an attempt, and so may have a copy."""
    refused = and_(DELIVERY.c.state == DeliveryState.PENDING, DELIVERY.c.reason != "")
    gone = DELIVERY.c.state.in_((DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN))
    tried = (DELIVERY.c.part == 0, or_(DELIVERY.c.attempts > 0, gone, refused))
    return session.scalar(select(DELIVERY.c.id).where(DELIVERY.c.issue_id == issue_id, *tried).limit(1)) is not None
