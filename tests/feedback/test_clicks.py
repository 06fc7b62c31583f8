"""Clicks: people are counted as people, and machines are not."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import planning
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY
from newsletter.feedback import clicks, robots
from newsletter.feedback.clicks import CLICK, Visit
from newsletter.feedback.models import ClickBy
from newsletter.feedback.robots import Signs
from newsletter.rendering import tracked
from newsletter.rendering.rendered import Rendered
from newsletter.tracking import Tracking
from subscribers import counting
from tests.delivery import desk
from tests.delivery.desk import KEYRING

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
PERSON = Signs(agent=FIREFOX, age=4000.0)
TRACKING = Tracking(networks=("203.0.113.0/24", "2001:db8::/32"), agents=("AcmeGuard",))
HTML = "<body>" + "".join(f'<a href="https://x.example/{n}">{n}</a>' for n in range(1, 7)) + "</body>"
READER = Visit(ip="198.51.100.7", agent=FIREFOX)


@pytest.mark.parametrize(("signs", "by"), [
    (PERSON, "human"),
    (replace(PERSON, canary=True), "machine"),
    (replace(PERSON, agent=" "), "machine"),
    (replace(PERSON, agent="Mozilla/5.0 (compatible; SafeLinks)"), "machine"),
    (replace(PERSON, agent="Mozilla/5.0 (Windows NT 10.0) acmeguard/2"), "machine"),
    (replace(PERSON, agent="python-requests/2.32"), "machine"),
    (replace(PERSON, agent="Mozilla/5.0 (Linux; Android 14; CUBOT X70) Chrome/140 Mobile"), "human"),
    (replace(PERSON, network=True), "machine"),
    (replace(PERSON, ahead=True), "machine"),
    (replace(PERSON, headed=True), "machine"),
    (replace(PERSON, caught=True), "machine"),
    (replace(PERSON, links=3), "machine"),
    (replace(PERSON, links=2), "human"),
    (replace(PERSON, age=9.9), "machine"),
    (replace(PERSON, age=10.0), "unknown"),
    (replace(PERSON, age=60.0), "human"),
    (replace(PERSON, age=None), "unknown"),
    (replace(PERSON, near=True), "unknown"),
    (replace(PERSON, agent="Opera/9.80"), "unknown"),
])  # fmt: skip
def test_signs_tell_whose_click_it_is(signs: Signs, by: str) -> None:
    assert robots.judge(signs, TRACKING).by == by


def test_a_network_is_known_by_its_addresses_of_both_kinds() -> None:
    assert [TRACKING.scans(each) for each in ("203.0.113.9", "2001:db8::1", "198.51.100.7", "", "testclient")] == [
        True, True, False, False, False,
    ]  # fmt: skip


def sent(engine: Engine, now: datetime, count: int = 2) -> int:
    """Let so many readers have an issue with six links since `now`."""
    rendered = Rendered(subject="Six", preheader="", html=HTML, text="x", theme="briefing")
    with db.transaction(engine) as session:
        desk.make_list(session, now, count)
        issue = desk.make_issue(session, now, rendered=rendered)
        planning.plan(session, issue, lists=["weekly"], segments=[], batch=5, actor="mara", now=now)
        session.execute(update(DELIVERY).values(state=DeliveryState.SENT, changed_at=now))
    return issue


def click(
    session: Session, issue: int, reader: int, number: int, at: datetime, visit: Visit = READER
) -> ClickBy | None:
    return clicks.record(
        session, visit, issue_id=issue, subscriber_id=reader, number=number, tracking=TRACKING, keyring=KEYRING, now=at
    )


def found(session: Session) -> Counter[str]:
    return Counter(by.value for by in session.scalars(select(CLICK.c.by)))


def test_a_burst_is_a_machines_from_its_first_link_on(engine: Engine, now: datetime) -> None:
    issue, later = sent(engine, now), now + timedelta(hours=1)
    with db.transaction(engine) as session:
        assert click(session, issue, 2, 1, later - timedelta(seconds=1)) == "human"
        for number in (1, 2, 3):
            click(session, issue, 1, number, later + timedelta(seconds=number / 2))
        assert found(session) == {"machine": 3, "human": 1}
        assert click(session, issue, 1, 1, later + timedelta(seconds=30)) == "unknown"
        assert click(session, issue, 1, 1, later + timedelta(minutes=5)) == "human"


def test_whoever_follows_the_hidden_link_was_a_machine_all_along(engine: Engine, now: datetime) -> None:
    issue, later = sent(engine, now), now + timedelta(hours=1)
    slow = Visit(ip="192.0.2.1", agent=FIREFOX)
    with db.transaction(engine) as session:
        for step, number in enumerate((1, 2, 3)):  # five minutes apart, by a browser's name
            assert click(session, issue, 2, number, later + timedelta(minutes=5 * step), slow) in ("human", "unknown")
        assert click(session, issue, 1, 1, later) == "human"
        assert click(session, issue, 2, tracked.CANARY, later + timedelta(minutes=20), slow) == "machine"
        assert found(session) == {"machine": 4, "human": 1}
        assert click(session, issue, 1, 2, later + timedelta(hours=2), slow) == "machine"
        assert click(session, issue, 1, 2, later + timedelta(days=8), slow) == "human"


def test_nothing_is_kept_of_who_does_not_want_it_or_is_gone(engine: Engine, now: datetime) -> None:
    issue, later = sent(engine, now), now + timedelta(hours=1)
    with db.transaction(engine) as session:
        counting.refuse(session, 1, True)
        assert click(session, issue, 1, 1, later) is None
        assert click(session, issue, 99, 1, later) is None
        assert not found(session)
        counting.refuse(session, 1, False)
        assert click(session, issue, 1, 1, later) == "human"
        many = {"issue_id": issue, "subscriber_id": 1, "number": 1, "by": ClickBy.HUMAN, "why": "", "at": later}
        session.execute(insert(CLICK), [{**many, "visitor": ""}] * (clicks.MOST - 1))
        assert click(session, issue, 1, 2, later + timedelta(hours=1)) is None


def test_a_visitor_is_a_keyed_hash_and_forgotten_after_a_week(engine: Engine, now: datetime) -> None:
    issue, later = sent(engine, now), now + timedelta(hours=1)
    with db.transaction(engine) as session:
        click(session, issue, 1, 1, later)
        (row,) = session.execute(select(CLICK)).all()
        assert len(row.visitor) == 64
        assert READER.ip not in str(row)
        assert FIREFOX not in str(row)
        assert not clicks.due(session, now=later + timedelta(days=7))
        assert clicks.due(session, now=later + timedelta(days=7, seconds=1))
        assert clicks.forget(session, now=later + timedelta(days=7, seconds=1)) == 1
        assert session.scalars(select(CLICK.c.visitor)).all() == [""]
        (told,) = clicks.of(session, 1)
        assert (told.url, told.by, told.issue) == ("https://x.example/1", "human", issue)
        assert clicks.unname(session, 1) == 1
        assert clicks.of(session, 1) == []
