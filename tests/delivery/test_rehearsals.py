"""Dry runs are kept, and a send is held against what they counted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlmodel import Session

from newsletter import audit, db
from newsletter.delivery import differences, planning, rehearsals, trials
from newsletter.delivery.differences import Difference
from newsletter.delivery.tables import REHEARSAL, REHEARSED, SUBSCRIBER
from newsletter.errors import Refused
from subscribers import segments, suppressions
from subscribers.models import Frequency, SuppressionReason
from tests.delivery import desk
from tests.delivery.desk import email, had, wants

MINUTE = timedelta(minutes=1)


class Stage:
    """An issue for ten readers in Germany, and what becomes of its audience a minute after the dry run."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self.engine, self.now = engine, now
        self.issue = desk.make(engine, now - 2 * MINUTE, 10)
        self.terms: dict[str, Any] = {"lists": ["weekly"], "segments": []}

    def rehearse(self) -> int:
        with db.transaction(self.engine) as session:
            return trials.rehearse(session, self.issue, **self.terms, actor="mara", now=self.now).readers

    def compare(self) -> Difference | None:
        with db.reading(self.engine) as session:
            return differences.compare(session, self.issue, **self.terms, now=self.now + MINUTE)

    def plan(self) -> int:
        with db.transaction(self.engine) as session:
            return planning.plan(
                session, self.issue, **self.terms, batch=10, rehearsed=True, actor="mara", now=self.now + MINUTE
            ).size


@pytest.fixture
def stage(engine: Engine, now: datetime) -> Stage:
    return Stage(engine, now)


def moves(found: Difference | None) -> tuple[dict[str, str], dict[str, str]]:
    assert found is not None
    return {each.email: each.reason for each in found.newcomers}, {each.email: each.reason for each in found.leavers}


def country(session: Session, number: int, word: str) -> None:
    session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.email == email(number)).values(country=word))


def test_the_audience_that_was_counted_is_the_one_that_is_planned(stage: Stage) -> None:
    assert stage.rehearse() == 10
    found = stage.compare()
    assert found is not None
    assert not found
    assert str(found) == "the very readers of the dry run of 2026-11-02 09:00 UTC, which counted 10"
    assert stage.plan() == 10
    with db.reading(stage.engine) as session:
        assert rehearsals.find(session, stage.issue) is None
        assert session.scalar(select(func.count()).select_from(REHEARSED)) == 0
        done = [(entry.action, entry.actor) for entry in audit.entries(session, "issue", stage.issue)]
        assert done == [("rehearsed", "mara"), ("planned", "mara")]


def test_who_is_gone_is_told_with_the_reason(stage: Stage) -> None:
    with db.transaction(stage.engine) as session:
        for number in range(1, 11):
            country(session, number, "DE")
        segments.create(session, "german", "country = 'DE'", now=stage.now)
    stage.terms = {"lists": ["weekly"], "segments": ["german"]}
    stage.rehearse()
    with db.transaction(stage.engine) as session:
        later = stage.now + MINUTE
        desk.leave(session, 1, later)
        suppressions.add(session, email(2), reason=SuppressionReason.COMPLAINT, source="x", now=later)
        suppressions.add(session, email(3), reason=SuppressionReason.MANUAL, source="x", list="weekly", now=later)
        country(session, 4, "FR")
        wants(session, 5, Frequency.WEEKLY)
        had(session, 5, stage.now)
        session.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.email == email(6)))
    found = stage.compare()
    assert moves(found) == ({}, {
        email(1): "left", email(2): "suppressed: complaint", email(3): "suppressed: manual",
        email(4): "no longer matches the segment", email(5): "frequency: weekly",
    })  # fmt: skip
    assert found
    assert (found.new, found.gone, found.erased) == (0, 6, 1)
    assert str(found).startswith("0 are new and 6 are gone since the dry run of 2026-11-02 09:00 UTC")


def test_who_is_new_is_told_with_the_reason(stage: Stage) -> None:
    with db.transaction(stage.engine) as session:
        desk.leave(session, 1, stage.now)
        suppressions.add(session, email(2), reason=SuppressionReason.MANUAL, source="x", now=stage.now)
        wants(session, 3, Frequency.WEEKLY)
        had(session, 3, stage.now + MINUTE / 2 - timedelta(days=6))
    assert stage.rehearse() == 7
    with db.transaction(stage.engine) as session:
        later = stage.now + MINUTE
        desk.come_back(session, 1, later)
        suppressions.lift(session, email(2), by="mara", now=later)
        desk.join(session, 11, later)
    assert moves(stage.compare()) == ({
        email(1): "confirmed since", email(2): "no longer suppressed", email(3): "due again", email(11): "joined since",
    }, {})  # fmt: skip


def test_who_matches_a_segment_since_is_new(stage: Stage) -> None:
    with db.transaction(stage.engine) as session:
        segments.create(session, "german", "country = 'DE'", now=stage.now)
        country(session, 1, "DE")
    stage.terms = {"lists": ["weekly"], "segments": ["german"]}
    stage.rehearse()
    with db.transaction(stage.engine) as session:
        country(session, 2, "DE")
    assert moves(stage.compare()) == ({email(2): "newly matches the segment"}, {})


def test_only_the_first_ten_of_many_are_named(stage: Stage) -> None:
    stage.rehearse()
    with db.transaction(stage.engine) as session:
        for number in range(11, 24):
            desk.join(session, number, stage.now + MINUTE)
    found = stage.compare()
    assert found
    assert (found.new, [each.email for each in found.newcomers]) == (13, [email(number) for number in range(11, 21)])


def test_a_dry_run_of_other_lists_or_segments_is_not_compared(stage: Stage) -> None:
    assert stage.compare() is None
    stage.rehearse()
    with db.transaction(stage.engine) as session:
        desk.make_list(session, stage.now, 3, name="alerts")
    stage.terms = {"lists": ["weekly", "alerts"], "segments": []}
    assert stage.compare() is None
    stage.rehearse()
    stage.terms = {"lists": ["alerts", "weekly"], "segments": []}
    assert stage.compare() is not None


def test_a_new_dry_run_takes_the_place_of_the_old(stage: Stage) -> None:
    stage.rehearse()
    with db.transaction(stage.engine) as session:
        desk.leave(session, 1, stage.now)
    assert stage.rehearse() == 9
    found = stage.compare()
    assert found is not None
    assert not found
    with db.reading(stage.engine) as session:
        assert session.execute(select(REHEARSAL.c.issue_id, REHEARSAL.c.size)).all() == [(stage.issue, 9)]


def test_a_send_can_be_held_to_the_dry_run(stage: Stage) -> None:
    with pytest.raises(Refused, match="issue 1 had no dry run for --list weekly; make one: newsletter send 1"):
        stage.plan()
    stage.rehearse()
    with db.transaction(stage.engine) as session:
        desk.leave(session, 1, stage.now + MINUTE)
    with pytest.raises(Refused, match=r"0 are new and 1 is gone since .*newsletter send 1 --list weekly --count"):
        stage.plan()
    assert desk.states(stage.engine, stage.issue) == {}
    stage.rehearse()
    assert stage.plan() == 9


def test_a_dry_run_after_the_plan_counts_and_is_not_kept(stage: Stage) -> None:
    stage.rehearse()
    stage.plan()
    with db.transaction(stage.engine) as session:
        desk.leave(session, 1, stage.now + MINUTE)
        assert trials.rehearse(session, stage.issue, actor="mara", now=stage.now).readers == 9
        assert rehearsals.find(session, stage.issue) is None
