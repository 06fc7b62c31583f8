"""How often a reader wants mail: in the plan, in the claim, and right before a message."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import audiences, ledger, planning
from newsletter.delivery.models import DeliveryState
from newsletter.errors import Refused
from subscribers import pauses
from subscribers.models import Frequency
from tests.delivery import desk
from tests.delivery.desk import email, had, wants

DAYS = timedelta(days=1)
WEEKLY, MONTHLY = Frequency.WEEKLY, Frequency.MONTHLY


def plan(engine: Engine, issue: int, now: datetime, *, batch: int = 10) -> dict[str, tuple[DeliveryState, str]]:
    with db.transaction(engine) as session:
        planning.plan(session, issue, lists=["weekly"], segments=[], batch=batch, actor="mara", now=now)
    return desk.states(engine, issue)


def test_who_wants_fewer_mails_and_had_one_lately_is_skipped_with_the_reason(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 7)
    with db.transaction(engine) as session:
        for number, frequency in {1: WEEKLY, 2: WEEKLY, 3: WEEKLY, 4: MONTHLY, 5: MONTHLY}.items():
            wants(session, number, frequency)
        for number, days in {1: 5.9, 2: 6.0, 4: 26.9, 5: 27.0, 6: 0.1}.items():
            had(session, number, now - days * DAYS)
        size = audiences.count(session, issue, lists=["weekly"], segments=[], now=now)
    assert (size.readers, size.held) == (5, {"frequency: monthly": 1, "frequency: weekly": 1})
    found = plan(engine, issue, now)
    assert found.pop(email(1)) == ("skipped", "frequency: weekly")
    assert found.pop(email(4)) == ("skipped", "frequency: monthly")
    assert set(found.values()) == {("pending", "")}
    with db.reading(engine) as session:
        assert planning.find(session, issue).size == 7  # type: ignore[union-attr]


def test_who_pauses_gets_nothing_until_their_day_and_then_again_by_themselves(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 4)
    with db.transaction(engine) as session:
        pauses.until(session, 1, (now + 3 * DAYS).date(), now=now)
        pauses.until(session, 2, (now + 3 * DAYS).date(), now=now)
        pauses.end(session, 2)
        size = audiences.count(session, issue, lists=["weekly"], segments=[], now=now)
        assert (size.readers, size.held) == (3, {"paused": 1})
        assert audiences.count(session, issue, lists=["weekly"], segments=[], now=now + 3 * DAYS).readers == 4
    assert plan(engine, issue, now)[email(1)] == ("skipped", "paused")
    with db.transaction(engine) as session:
        pauses.until(session, 3, (now + DAYS).date(), now=now)
        hold = ledger.take(session, issue, worker="elsewhere:1", now=now)
        batch = ledger.claim(session, hold, batch=10, now=now)
        assert batch
    assert [reader.email for reader in batch.readers] == [email(2), email(4)]
    with db.transaction(engine) as session:
        pauses.until(session, 4, (now + DAYS).date(), now=now)
        keys = [reader.delivery_id for reader in batch.readers]
        assert ledger.ask(session, hold, keys, now=now).objections == {keys[1]: "paused"}
        assert ledger.ask(session, hold, keys, now=now + DAYS).objections == {}


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("pending", True), ("sending", True), ("deferred", True), ("unknown", True), ("failed", False),
        ("skipped", False),
    ],
)  # fmt: skip
def test_a_copy_that_is_on_its_way_counts_and_one_that_will_not_come_does_not(
    engine: Engine, now: datetime, state: str, counts: bool
) -> None:
    issue = desk.make(engine, now, 2)
    with db.transaction(engine) as session:
        wants(session, 1, WEEKLY)
        had(session, 1, now - DAYS, state=DeliveryState(state))
    assert plan(engine, issue, now)[email(1)] == (("skipped", "frequency: weekly") if counts else ("pending", ""))


def test_an_issue_for_people_who_all_had_one_lately_is_not_sent(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        wants(session, 1, WEEKLY)
        had(session, 1, now - DAYS)
    with pytest.raises(
        Refused, match=r"all 1 of its readers want fewer mails.*newsletter send 1 --list weekly --count"
    ):
        plan(engine, issue, now)
    assert desk.states(engine, issue) == {}


def test_a_copy_of_another_issue_since_the_plan_counts_in_the_claim_and_before_the_message(
    engine: Engine, now: datetime
) -> None:
    issue = desk.make(engine, now, 4)
    with db.transaction(engine) as session:
        for number in (1, 2, 3):
            wants(session, number, WEEKLY)
    plan(engine, issue, now)
    with db.transaction(engine) as session:
        had(session, 1, now)
        had(session, 2, now, state=DeliveryState.PENDING)  # this issue was first: the other one waits
        hold = ledger.take(session, issue, worker="elsewhere:1", now=now)
        batch = ledger.claim(session, hold, batch=10, now=now)
        assert batch
    assert [reader.email for reader in batch.readers] == [email(2), email(3), email(4)]
    assert desk.states(engine, issue)[email(1)] == ("skipped", "frequency: weekly")
    with db.transaction(engine) as session:
        had(session, 3, now)
        had(session, 4, now)
        keys = [reader.delivery_id for reader in batch.readers]
        assert ledger.ask(session, hold, keys, now=now).objections == {keys[1]: "frequency: weekly"}
        assert ledger.ask(session, hold, keys, now=now + 6 * DAYS).objections == {}
