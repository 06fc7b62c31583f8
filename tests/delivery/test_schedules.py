"""Schedules: a moment that is one, one for each issue, and what is late is never begun by itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update
from sqlmodel import Session

from newsletter import audit, db
from newsletter.delivery import schedules
from newsletter.delivery.schedules import ScheduleView
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues.models import Issue, IssueState
from tests.delivery import desk

NOW = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
LATE = timedelta(hours=6)


@pytest.mark.parametrize(
    ("text", "utc", "zone"),
    [
        ("2026-12-01 07:00 Europe/Berlin", "2026-12-01T06:00", "Europe/Berlin"),
        ("2026-07-01 07:00 Europe/Berlin", "2026-07-01T05:00", "Europe/Berlin"),
        ("2026-12-01T07:00:30+05:30", "2026-12-01T01:30:30", "+05:30"),
        ("2026-12-01T07:00-0800", "2026-12-01T15:00", "-0800"),
        ("2026-12-01T07:00Z", "2026-12-01T07:00", "UTC"),
        (" 2026-12-01 07:00 UTC ", "2026-12-01T07:00", "UTC"),
        ("2026-10-25 02:30+02:00", "2026-10-25T00:30", "+02:00"),
    ],
)
def test_a_moment_is_read_in_its_zone(text: str, utc: str, zone: str) -> None:
    assert schedules.parse(text, NOW) == (datetime.fromisoformat(utc).replace(tzinfo=UTC), zone)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tomorrow", "is no moment; write it as"),
        ("2026-12-01 07:00", "names no time zone; write 2026-12-01 07:00 Europe/Berlin"),
        ("2026-02-30 07:00 Europe/Berlin", "is on no calendar or clock"),
        ("2026-12-01 25:00Z", "is on no calendar or clock"),
        ("2026-12-01 07:00 Europe/Atlantis", "'Europe/Atlantis' is no time zone"),
        ("2026-12-01 07:00 Europe", "'Europe' is no time zone"),
        ("2026-12-01 07:00+99:00", "is no distance from UTC"),
        ("9999-12-31 23:59 America/New_York", "is on no calendar in UTC; write it as"),
        ("9999-12-31 23:59 -05:00", "is on no calendar in UTC; write it as"),
        ("0001-01-01 00:00 +05:00", "is on no calendar in UTC; write it as"),
        ("2026-01-02 10:00 Europe/Berlin", "is past; it is 2026-01-02 09:00 UTC now"),
        ("2026-03-29 02:30 Europe/Berlin", r"does not exist in Europe/Berlin.*write 2026-03-29 03:30 Europe/Berlin"),
        (
            "2026-10-25 02:30 Europe/Berlin",
            r"is twice in Europe/Berlin.*2026-10-25T02:30\+02:00 for the first, or 2026-10-25T02:30\+01:00",
        ),
    ],
)
def test_what_is_no_moment_to_come_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        schedules.parse(text, NOW)


@given(
    st.text(max_size=40)
    | st.from_regex(r"(2026|9999|0001)-\d\d-\d\d \d\d:\d\d ?[A-Za-z/+:0-9_.-]{0,20}", fullmatch=True)
)
def test_no_text_brings_anything_but_a_moment_or_a_refusal(text: str) -> None:
    try:
        at, _ = schedules.parse(text, NOW)
    except BadInput:
        return
    assert at > NOW


def scheduled(session: Session, issue: int, at: datetime, now: datetime, *, replace: bool = False) -> ScheduleView:
    terms = {"lists": ["weekly"], "segments": []}
    return schedules.add(session, issue, at, zone="Europe/Berlin", terms=terms, replace=replace, actor="mara", now=now)


def test_an_issue_has_one_time_and_says_it(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        made = scheduled(session, issue, now + timedelta(days=1), now)
        assert schedules.find(session, issue) == made
        assert str(made) == "begins 2026-11-03 10:00 Europe/Berlin, by newsletter deliver"
        with pytest.raises(Refused, match="newsletter schedule remove 1"):
            scheduled(session, issue, now + timedelta(days=2), now)
        scheduled(session, issue, now + timedelta(days=2), now, replace=True)
        assert [each.at for each in schedules.all(session)] == [now + timedelta(days=2)]
        assert [entry.action for entry in audit.entries(session, "issue", issue)] == ["scheduled"] * 2


def test_a_time_is_taken_away_once(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        scheduled(session, issue, now + timedelta(days=1), now)
        assert schedules.remove(session, issue, actor="mara", now=now).issue == issue
        with pytest.raises(NotFound, match="newsletter schedule list"):
            schedules.remove(session, issue, actor="mara", now=now)
        with pytest.raises(NotFound, match="no issue 9"):
            schedules.remove(session, 9, actor="mara", now=now)


def test_only_a_frozen_issue_can_wait_for_its_time(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        session.execute(update(Issue).values(state=IssueState.ASSEMBLING))
        with pytest.raises(Refused, match="newsletter issues freeze 1"):
            scheduled(session, issue, now + timedelta(days=1), now)


def test_an_issue_is_due_from_its_time_on_and_missed_when_nothing_looked(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    at = now + timedelta(days=1)
    with db.transaction(engine) as session:
        scheduled(session, issue, at, now)
        assert schedules.due(session, at - timedelta(seconds=1), LATE) == []
        assert [each.issue for each in schedules.due(session, at, LATE)] == [issue]
        assert [each.issue for each in schedules.due(session, at + LATE, LATE)] == [issue]
        assert schedules.due(session, at + LATE + timedelta(seconds=1), LATE) == []
        missed = schedules.find(session, issue)
        assert missed
        assert missed.missed
        assert "send it now: newsletter send 1 --list weekly" in str(missed)
        assert schedules.due(session, at, LATE) == []  # a clock that is put back does not begin it either
        assert not scheduled(session, issue, at + timedelta(days=7), now).missed


def test_the_time_of_an_issue_that_was_sent_or_given_up_is_dropped(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        scheduled(session, issue, now + timedelta(days=1), now)
        session.execute(update(Issue).values(state=IssueState.SENT))
        assert schedules.due(session, now + timedelta(days=1), LATE) == []
        assert schedules.all(session) == []
