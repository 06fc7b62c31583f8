"""How a send stands, in words and in JSON."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from newsletter import db
from newsletter.delivery import ledger, planning, replies, report, results
from newsletter.delivery.report import Status
from newsletter.delivery.tables import DELIVERY
from newsletter.errors import BadInput, NotFound
from newsletter.transport import Sending
from tests.delivery import desk
from tests.delivery.desk import email


def status(engine: Engine, issue: int) -> Status:
    with db.reading(engine) as session:
        return report.status(session, issue)


@pytest.fixture
def issue(engine: Engine, now: datetime) -> int:
    """Return an issue of which one batch of five is recorded, and one is being sent."""
    issue = desk.make(engine, now, 12)
    later = now + timedelta(seconds=4)
    with db.transaction(engine) as session:
        planning.plan(session, issue, lists=["weekly"], segments=[], batch=5, actor="mara", now=now)
        desk.leave(session, 1, now)
        hold = ledger.take(session, issue, worker="host:7", now=now)
        batch = ledger.claim(session, hold, batch=5, now=now)
        assert batch
        outcomes = [
            replies.Outcome(replies.Kind.SENT, 250, "2.0.0 Ok"),
            replies.read(replies.Moment.RCPT, 550, "5.1.1 nobody"),
            replies.read(replies.Moment.RCPT, 450, "4.2.0 later"),
            replies.lost("gone", after_dot=True),
        ]
        policy = results.policy(Sending(on_unknown="hold"))
        changes = {
            reader.delivery_id: results.settle(outcome, attempts=0, resent=False, policy=policy, now=later)
            for reader, outcome in zip(batch.readers, outcomes, strict=True)
        }
        ledger.record(session, hold, batch.id, changes, now=later)
        ledger.claim(session, hold, batch=5, now=later)
    return issue


def test_the_states_add_up_to_the_audience(engine: Engine, issue: int) -> None:
    found = status(engine, issue).as_json()
    states = {key: found[key] for key in ("sent", "failed", "skipped", "deferred", "unknown", "pending", "sending")}
    assert states == {
        "sent": 1, "failed": 1, "skipped": 1, "deferred": 1, "unknown": 1, "pending": 2, "sending": 5,
    }  # fmt: skip
    assert found["audience"] == sum(states.values()) == 12
    assert found["issue"] == issue
    assert found["state"] == "frozen"
    assert found["reasons"] == {
        "skipped": {"unsubscribed": 1}, "failed": {"address": 1}, "deferred": {"transient": 1}, "unknown": {"lost": 1},
    }  # fmt: skip
    assert found["worker"] == ""  # its lease ended long ago
    assert status(engine, issue).died == "host:7"
    assert found["next_due"] == "2026-11-02T09:05:04+00:00"
    assert found["rate"] == 0.2
    assert json.loads(json.dumps(found)) == found
    assert status(engine, issue).waiting == 8


def test_who_did_not_get_it_and_why(engine: Engine, issue: int, now: datetime) -> None:
    with db.reading(engine) as session:
        (failed,) = report.who(session, issue, "failed")
        (skipped,) = report.who(session, issue, "skipped")
        (deferred,) = report.who(session, issue, "deferred")
        assert len(report.who(session, issue, "pending")) == 2
    assert (failed.email, failed.reason, failed.reply, failed.attempts) == (email(3), "address", "550 5.1.1 nobody", 1)
    assert (skipped.email, skipped.reason) == (email(1), "unsubscribed")
    assert deferred.due_at == now + timedelta(minutes=5, seconds=4)


def test_a_state_or_an_issue_that_is_none_is_named(engine: Engine, issue: int) -> None:
    with db.reading(engine) as session:
        with pytest.raises(BadInput, match="'lost' is no state of a delivery; they are pending, sending, sent"):
            report.who(session, issue, "lost")
        with pytest.raises(NotFound):
            report.who(session, 99, "sent")
        with pytest.raises(NotFound):
            report.status(session, 99)


def test_before_the_plan_there_is_nothing_to_count(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 3)
    found = status(engine, issue)
    assert (found.audience, found.waiting, found.started, found.rate) == (0, 0, None, 0.0)
    with db.reading(engine) as session:
        assert session.execute(select(DELIVERY.c.id)).all() == []
