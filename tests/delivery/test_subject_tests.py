"""Trials of subjects: who wins, when, and who gets the issue under it."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import planning, subject_tests
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.results import RESENT
from newsletter.delivery.tables import DELIVERY, LIST
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.feedback import events
from newsletter.feedback.models import Click, ClickBy, EventKind
from newsletter.issues.models import Issue
from tests.delivery import desk

HOURS = 4.0


def begun(engine: Engine, now: datetime, *, decide: str = "clicks") -> int:
    """Make an issue with two subjects whose share of 10 of 30 readers was sent to at `now`."""
    issue = desk.make(engine, now, 30)
    with db.transaction(engine) as session:
        session.execute(update(Issue).values(alternatives=["Or so"]))
        session.execute(update(LIST).values(track_clicks=True))
        planning.plan(
            session, issue, lists=["weekly"], segments=[], batch=5, share=1 / 3, variants=2, actor="mara", now=now
        )
        subject_tests.begin(session, issue, share=1 / 3, decide=decide, hours=HOURS)
        settle(session, now)
    return issue


def settle(session: Session, now: datetime, *, part: int = 1) -> None:
    sent = {"state": DeliveryState.SENT, "changed_at": now}
    session.execute(update(DELIVERY).where(DELIVERY.c.part == part).values(**sent))


def click(
    session: Session, issue: int, variant: int, count: int, now: datetime, *, part: int = 1,
    by: ClickBy = ClickBy.HUMAN,
) -> None:  # fmt: skip
    who = (DELIVERY.c.issue_id == issue, DELIVERY.c.variant == variant, DELIVERY.c.part == part)
    readers = session.execute(select(DELIVERY.c.subscriber_id).where(*who).order_by(DELIVERY.c.id).limit(count))
    for reader in readers.scalars().all():
        for _ in range(2):  # a second click of the same reader does not count
            session.add(Click(issue_id=issue, subscriber_id=reader, number=1, by=by, why="", at=now))
    session.flush()


def rest(session: Session, issue: int) -> Counter[int]:
    found = select(DELIVERY.c.variant).where(DELIVERY.c.issue_id == issue, DELIVERY.c.part == 0)
    return Counter(session.execute(found).scalars())


def test_clicks_of_people_decide_when_the_hours_are_over(engine: Engine, now: datetime) -> None:
    issue = begun(engine, now)
    over = now + timedelta(hours=HOURS)
    with db.transaction(engine) as session:
        click(session, issue, 0, 1, now)
        click(session, issue, 1, 3, now)
        click(session, issue, 0, 5, now, by=ClickBy.MACHINE)
        click(session, issue, 0, 5, now, by=ClickBy.UNKNOWN)
        events.record(session, EventKind.OPENED, subscriber_id=1, issue_id=issue, now=now)
        scores = [(each.subject, each.sent, each.clicked) for each in subject_tests.scores(session, issue)]
        assert scores == [(desk.RENDERED.subject, 5, 1), ("Or so", 5, 3)]
        assert subject_tests.winner(session, issue, now=over - timedelta(seconds=1)) is None
        assert subject_tests.winner(session, issue, now=over) == 1
        found = subject_tests.require(session, issue)
        assert (found.winner, found.decided_at, found.decided_by, found.sampled_at) == (1, over, "clicks", now)
        assert rest(session, issue) == {1: 20}


def test_a_tie_goes_to_the_first_subject(engine: Engine, now: datetime) -> None:
    issue = begun(engine, now)
    with db.transaction(engine) as session:
        assert subject_tests.winner(session, issue, now=now + timedelta(hours=HOURS)) == 0


def test_the_rate_counts_and_not_the_number(engine: Engine, now: datetime) -> None:
    issue = begun(engine, now)
    with db.transaction(engine) as session:
        click(session, issue, 0, 3, now)
        click(session, issue, 1, 2, now)
        other = select(DELIVERY.c.id).where(DELIVERY.c.part == 1, DELIVERY.c.variant == 1).order_by(DELIVERY.c.id)
        failed = session.execute(other).scalars().all()[2:]
        session.execute(update(DELIVERY).where(DELIVERY.c.id.in_(failed)).values(state=DeliveryState.FAILED))
        assert [each.rate for each in subject_tests.scores(session, issue)] == [0.6, 1.0]
        assert subject_tests.by_clicks(session, issue, actor="mara", now=now) == 1


def test_no_hours_run_before_the_share_is_out(engine: Engine, now: datetime) -> None:
    issue = begun(engine, now)
    later = now + timedelta(days=9)
    with db.transaction(engine) as session:
        session.execute(update(DELIVERY).where(DELIVERY.c.id == 1).values(part=1, state=DeliveryState.PENDING))
        assert subject_tests.winner(session, issue, now=later) is None
        session.execute(update(DELIVERY).where(DELIVERY.c.id == 1).values(state=DeliveryState.DEFERRED))
        assert subject_tests.winner(session, issue, now=later) == 0


def test_a_person_decides_where_a_person_is_to(engine: Engine, now: datetime) -> None:
    issue = begun(engine, now, decide="hand")
    with db.transaction(engine) as session:
        assert subject_tests.winner(session, issue, now=now + timedelta(days=9)) is None
        subject_tests.choose(session, issue, 1, actor="mara", now=now)
        assert subject_tests.winner(session, issue, now=now) == 1
        subject_tests.choose(session, issue, 0, actor="mara", now=now)
        assert rest(session, issue) == {0: 20}
        settle(session, now, part=0)
        with pytest.raises(Refused, match="on its way already"):
            subject_tests.choose(session, issue, 1, actor="mara", now=now)


@pytest.mark.parametrize(
    "words",
    [{"reason": RESENT, "attempts": 1}, {"reason": RESENT}, {"state": DeliveryState.DEFERRED, "attempts": 1},
     {"state": DeliveryState.UNKNOWN}, {"state": DeliveryState.SENDING}],
)  # fmt: skip
def test_no_other_subject_wins_once_somebody_of_the_rest_may_have_a_copy(
    engine: Engine, now: datetime, words: dict[str, object]
) -> None:
    issue = begun(engine, now, decide="hand")
    with db.transaction(engine) as session:
        subject_tests.choose(session, issue, 0, actor="mara", now=now)
        first = select(DELIVERY.c.id).where(DELIVERY.c.part == 0).limit(1).scalar_subquery()
        session.execute(update(DELIVERY).where(DELIVERY.c.id == first).values(**words))
        with pytest.raises(Refused, match="on its way already"):
            subject_tests.choose(session, issue, 1, actor="mara", now=now)
        assert rest(session, issue) == {0: 20}


def test_who_already_has_a_result_keeps_the_subject(engine: Engine, now: datetime) -> None:
    issue = begun(engine, now)
    with db.transaction(engine) as session:
        first = select(DELIVERY.c.id).where(DELIVERY.c.part == 0).limit(1).scalar_subquery()
        session.execute(update(DELIVERY).where(DELIVERY.c.id == first).values(state=DeliveryState.SKIPPED))
        subject_tests.choose(session, issue, 1, actor="mara", now=now)
        assert rest(session, issue) == {0: 1, 1: 19}


@pytest.mark.parametrize("number", [-1, 2])
def test_a_subject_that_there_is_not_cannot_win(engine: Engine, now: datetime, number: int) -> None:
    issue = begun(engine, now)
    with db.transaction(engine) as session, pytest.raises(NotFound, match="they are 1 to 2"):
        subject_tests.choose(session, issue, number, actor="mara", now=now)


def test_an_issue_without_a_trial_says_how_one_is_made(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        assert subject_tests.find(session, issue) is None
        with pytest.raises(NotFound, match="--or-subject"):
            subject_tests.require(session, issue)
        with pytest.raises(NotFound, match="no issue 7"):
            subject_tests.require(session, 7)
        for wrong in ({"decide": "dice", "hours": 1.0}, {"decide": "hand", "hours": -1.0}):
            with pytest.raises(BadInput, match="trial of subjects"):
                subject_tests.begin(session, issue, share=0.1, **wrong)  # type: ignore[arg-type]
