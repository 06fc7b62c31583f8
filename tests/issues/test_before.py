"""What the readers of an issue's list have had: X1 and X2, asked of that list."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from newsletter.editorial.gate import Severity
from newsletter.errors import Blocked
from newsletter.issues import contents, issues, reports
from newsletter.issues.issues import Words
from newsletter.issues.models import Step
from subscribers import lists
from tests.issues.conftest import Approve


def send(session: Session, pick: str, to: str, now: datetime) -> None:
    """Send an issue with one briefing to a list."""
    issue = compose(session, pick, to, now)
    read = contents.read(session, issue, now=now)
    contents.freeze(session, read, rendering="a" * 64, actor="mara", now=now)
    contents.begin_sending(session, issue, actor="mara", now=now)


def compose(session: Session, pick: str, to: str, now: datetime) -> int:
    return issues.compose(session, [pick], words=Words(), list_name=to, actor="mara", now=now).id


def found(session: Session, issue: int, now: datetime) -> set[tuple[str, str]]:
    read = contents.read(session, issue, now=now)
    return {(each.rule, each.severity.value) for each in reports.run(session, read, Step.FREEZE, now=now).findings}


def test_what_was_sent_to_another_list_is_new_to_these_readers(
    session: Session, approve: Approve, now: datetime
) -> None:
    for name in ("weekly", "monthly"):
        lists.create(session, name, now=now)
    approve("cranes")
    send(session, "cranes", "weekly", now)
    approve("again", story="cranes")  # nearly the same text, from another page
    assert found(session, compose(session, "again", "monthly", now), now) == set()
    weekly = compose(session, "again", "weekly", now)
    assert found(session, weekly, now) == {("X2", "block")}
    assert found(session, weekly, now + timedelta(days=181)) == set()
    told = reports.run(session, contents.read(session, weekly, now=now), Step.FREEZE, now=now).findings[0]
    assert told.severity is Severity.BLOCK
    assert "briefing cranes, which these readers had on 2026-11-02, is nearly this text (0.9" in told.message
    contents.freeze(session, contents.read(session, weekly, now=now), rendering="b" * 64, actor="mara", now=now)
    with pytest.raises(Blocked, match="block X2 item 1: again"):
        contents.begin_sending(session, weekly, actor="mara", now=now)


def test_a_source_of_what_these_readers_had_is_told_and_an_issue_for_no_list_asks_of_all(
    session: Session, approve: Approve, now: datetime
) -> None:
    for name in ("weekly", "monthly"):
        lists.create(session, name, now=now)
    approve("cranes")
    send(session, "cranes", "weekly", now)
    approve("tugs", page="cranes")
    assert found(session, compose(session, "tugs", "monthly", now), now) == set()
    assert found(session, compose(session, "tugs", "weekly", now), now) == {("X1", "warn")}
    approve("quays", page="cranes")
    assert found(session, compose(session, "quays", "", now), now) == {("X1", "warn")}
