"""Figures of an issue: each counted from the rows that it stands for, and said of what."""

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER
from newsletter.errors import Refused
from newsletter.feedback import events, figures, sheet
from newsletter.feedback.models import Click, ClickBy, EventKind
from newsletter.feedback.rates import Rate
from newsletter.issues.models import Issue, IssueState
from newsletter.settings import Settings
from tests.delivery import desk
from tests.feedback.test_clicks import sent

HOUR = timedelta(hours=1)


def follow(session: Session, issue: int, reader: int, number: int, by: ClickBy, at: datetime) -> None:
    session.add(Click(issue_id=issue, subscriber_id=reader, number=number, by=by, why="", at=at))


@pytest.fixture
def issue(engine: Engine, now: datetime) -> int:
    """Return an issue that 38 of 40 readers have, with something of everything that can come back."""
    made = sent(engine, now, 40)
    with db.transaction(engine) as session:
        session.execute(update(LIST).values(track_clicks=True))
        session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id == 40).values(uncounted=True))
        session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.id <= 4).values(email_key=SUBSCRIBER.c.email_key + ".de"))
        session.execute(update(Issue).values(alternatives=["Or so"], state=IssueState.SENT, sent_at=now))
        session.execute(update(DELIVERY).where(DELIVERY.c.subscriber_id > 20).values(variant=1))
        gone = {"state": DeliveryState.FAILED, "reason": "address"}
        session.execute(update(DELIVERY).where(DELIVERY.c.subscriber_id == 1).values(**gone))
        skipped = {"state": DeliveryState.SKIPPED, "reason": "unsubscribed"}
        session.execute(update(DELIVERY).where(DELIVERY.c.subscriber_id == 2).values(**skipped))
        people, others = ((3, 1), (3, 1), (3, 2), (30, 2), (31, 2)), ((5, 1, "machine"), (5, 0, "machine"))
        for reader, number, by in (*((*each, "human") for each in people), *others, (6, 2, "unknown")):
            follow(session, made, reader, number, ClickBy(by), now + HOUR * (1.5 if reader == 3 else 3.5))
        for kind, reader in ((EventKind.BOUNCED, 7), (EventKind.BOUNCED, 7), (EventKind.COMPLAINED, 8)):
            events.record(session, kind, subscriber_id=reader, issue_id=made, now=now + HOUR)
        # Soon after; after another issue; a week later; from another list; before it came.
        desk.had(session, 11, now + HOUR)
        other = desk.make_list(session, now, 1, name="other")
        for reader, list_id, at in ((10, 1, 2), (21, 1, 3), (11, 1, 2), (12, 1, 24 * 8), (13, other, 1), (14, 1, -1)):
            moment = now + HOUR * at
            events.record(session, EventKind.UNSUBSCRIBED, subscriber_id=reader, list_id=list_id, now=moment)
    return made


def test_every_figure_is_what_the_rows_say(engine: Engine, now: datetime, issue: int) -> None:
    with db.reading(engine) as session:
        found = figures.of(session, issue, now=now + HOUR * 5)
        told = found.as_json()
    assert (told["audience"], told["sent"], told["failed"], told["skipped"]) == (40, 38, 1, 1)
    assert told["reasons"] == {"failed": {"address": 1}, "skipped": {"unsubscribed": 1}}
    assert [told[name]["count"] for name in ("bounced", "complained", "unsubscribed")] == [1, 1, 2]
    assert {told[name]["of"] for name in ("bounced", "complained", "unsubscribed")} == {38}
    assert told["clicks_counted_for"] == 37
    assert (told["clicked"]["count"], told["clicked"]["of"], told["clicked"]["rate"]) == (3, 37, 0.0811)
    assert told["clicks"] == {
        "human": {"readers": 3, "times": 5}, "machine": {"readers": 1, "times": 1},
        "unknown": {"readers": 1, "times": 1},
    }  # fmt: skip
    assert [(each["number"], each["human"], each["unknown"], each["machine"]) for each in told["links"][:3]] == [
        (2, 3, 1, 0), (1, 1, 0, 1), (3, 0, 0, 0),
    ]  # fmt: skip
    assert told["links"][0]["url"] == "https://x.example/2"
    assert [(each["clicked"], each["left"]) for each in told["over_time"]] == [(0, 0), (1, 0), (0, 1), (2, 1)]
    assert [(each["clicked"]["count"], each["clicked"]["of"], each["unsubscribed"]["count"])
            for each in told["subjects"]] == [(1, 18, 1), (2, 20, 1)]  # fmt: skip
    names = ("domain", "audience", "sent", "failed", "bounced", "clicked")
    assert [tuple(each[name] for name in names) for each in told["domains"]] == [
        ("example.com", 36, 36, 0, 1, 2), ("example.com.de", 4, 2, 1, 0, 1),
    ]  # fmt: skip


def test_an_issue_that_nobody_was_sent_has_no_report(engine: Engine, now: datetime) -> None:
    waiting = desk.make(engine, now, 1)
    with db.reading(engine) as session:
        with pytest.raises(Refused, match="nothing to report"):
            figures.of(session, waiting, now=now)
        assert figures.newest(session, last=10, now=now) == []


def test_the_sheet_says_in_words_what_its_charts_show(
    engine: Engine, settings: Settings, now: datetime, issue: int
) -> None:
    with db.reading(engine) as session:
        found = figures.of(session, issue, now=now)
    page = sheet.page(found, settings)
    assert page == sheet.page(found, settings)
    charts = re.findall(r'<svg role="img" aria-label="([^"]+)"', page)
    assert len(charts) == 3
    assert "38 sent, 1 failed, 1 skipped" in charts[0]
    assert "<script" not in page
    assert "open rate" not in page.lower()
    assert not re.search(r'(?:src|href)="(?!https://x\.example/|data:,|#)', page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    words = " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", page, flags=re.DOTALL).split())
    for said in ("3 of 37 whose clicks are counted: 8.1%", "2 of 38 sent", "1 of machines", "1 of 18 ", "x.example/2"):
        assert said in words, said


def test_a_rate_of_few_has_no_percentage() -> None:
    assert str(Rate(3, 12)) == "3 of 12"
    assert str(Rate(12, 480)) == "12 of 480 (2.5%; 1.4% to 4.3% is likely)"
    assert Rate(0, 12).told("sent") == "0 of 12 sent"
    assert Rate(0, 498).told("sent") == "0 of 498 sent (0.0%; 0.0% to 0.8% is likely)"
    assert Rate(0, 0).as_json() == {"count": 0, "of": 0, "rate": 0.0, "low": 0.0, "high": 1.0}


def test_time_is_told_by_the_hour_on_the_first_day_and_then_by_the_day(now: datetime) -> None:
    assert figures.spans(now, [], []) == []
    hours = figures.spans(now, [now + HOUR * 23.5], [now - HOUR])
    assert (len(hours), hours[0].left, hours[-1].clicked, hours[-1].label) == (24, 1, 1, "hour 24")
    days = figures.spans(now, [now + timedelta(days=90), now], [])
    assert [(each.label, each.clicked) for each in days if each.clicked] == [("day 1", 1), ("day 24 and later", 1)]
