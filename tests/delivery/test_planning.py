"""Planning: who is in the ledger, and in which batch."""

from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import Engine, func, insert, select, update

from newsletter import audit, db
from newsletter.delivery import batches, planning
from newsletter.delivery.models import BatchState
from newsletter.delivery.planning import PlanView
from newsletter.delivery.tables import BATCH, DELIVERY
from newsletter.errors import Refused
from newsletter.issues.models import Issue, IssueState
from subscribers import errors, segments, suppressions
from subscribers.models import SuppressionReason
from tests.delivery import desk


def planned(
    engine: Engine, issue: int, now: datetime, *, lists: Sequence[str] = ("weekly",), batch: int = 4, **more: str
) -> PlanView:
    named = tuple(more.values())
    with db.transaction(engine) as session:
        return planning.plan(session, issue, lists=lists, segments=named, batch=batch, actor="mara", now=now)


def test_everyone_confirmed_and_not_suppressed_is_planned_once(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 10)
    with db.transaction(engine) as session:
        desk.make_list(session, now, 12, name="alerts")
        desk.leave(session, 3, now)
        suppressions.add(session, desk.email(4), reason=SuppressionReason.COMPLAINT, source="test", now=now)
    plan = planned(engine, issue, now, lists=("weekly", "alerts"))
    assert (plan.size, plan.new) == (10, True)
    found = desk.states(engine, issue)
    assert set(found) == {desk.email(number) for number in range(1, 13)} - {desk.email(3), desk.email(4)}
    assert set(found.values()) == {("pending", "")}
    with db.reading(engine) as session:
        (entry,) = audit.entries(session, "issue", issue)
        assert (entry.action, entry.actor, entry.detail["audience"]) == ("planned", "mara", 10)


def test_the_list_that_is_named_first_brings_the_copy(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 3)
    with db.transaction(engine) as session:
        alerts = desk.make_list(session, now, 2, name="alerts")
    planned(engine, issue, now, lists=("alerts", "weekly"))
    with db.reading(engine) as session:
        brought = session.execute(select(DELIVERY.c.list_id).order_by(DELIVERY.c.subscriber_id)).scalars().all()
    assert brought == [alerts, alerts, alerts - 1]


def test_a_segment_narrows_the_audience(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 5)
    with db.transaction(engine) as session:
        segments.create(session, "nobody", "country = 'DE'", now=now)
        segments.create(session, "everybody", "domain = 'example.com'", now=now)
    with pytest.raises(
        Refused, match=r"issue 1 has nobody to go to: no reader of weekly, nobody .*newsletter lists list"
    ):
        planned(engine, issue, now, segment="nobody")
    assert planned(engine, issue, now, segment="everybody").size == 5


@pytest.mark.parametrize("batch", [1, 3, 4, 5, 100])
def test_batches_hold_everyone_and_none_holds_too_many(engine: Engine, now: datetime, batch: int) -> None:
    issue = desk.make(engine, now, 13)
    planned(engine, issue, now, batch=batch)
    with db.reading(engine) as session:
        sizes = session.execute(
            select(func.count(DELIVERY.c.id))
            .join_from(BATCH, DELIVERY, DELIVERY.c.batch_id == BATCH.c.id, isouter=True)
            .group_by(BATCH.c.id)
            .order_by(BATCH.c.id)
        ).scalars()
        assert list(sizes) == [batch] * (13 // batch) + [13 % batch] * (13 % batch > 0)


def test_whoever_finds_no_room_in_the_batches_is_put_into_others(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 13)
    in_batches = select(DELIVERY.c.batch_id, func.count()).group_by(DELIVERY.c.batch_id).order_by(DELIVERY.c.batch_id)
    with db.transaction(engine) as session:
        room = batches.reserve(session, issue, 2)
        made = planning.insert_deliveries(session, issue, lists=["weekly"], segments=[], room=room, batch=4, now=now)
        assert made == 13
        found = dict(session.execute(in_batches).all())
        assert found == {room[0]: 4, room[1]: 4, None: 5}
        session.execute(update(BATCH).values(state=BatchState.DONE))
        assert batches.form(session, issue, batch=4, now=now) == 2
        assert sorted(dict(session.execute(in_batches).all()).values()) == [1, 4, 4, 4]


def test_two_issues_planned_at_once_do_not_share_batches(engine: Engine, now: datetime) -> None:
    first = desk.make(engine, now, 9)
    with db.transaction(engine) as session:
        second = Issue(state=IssueState.FROZEN, subject="Two", composed_at=now, composed_by="mara")
        session.add(second)
        session.flush()
        gap = [
            {"id": number, "issue_id": issue, "state": BatchState.OPEN} for number, issue in ((1, first), (3, first))
        ]
        session.execute(insert(BATCH), [{**each, "fence": 0, "worker": ""} for each in gap])
        session.execute(insert(BATCH).values(id=2, issue_id=second.id, state=BatchState.OPEN, fence=0, worker=""))
        assert batches.reserve(session, first, 0) == range(0)
        assert session.execute(select(BATCH.c.id, BATCH.c.issue_id)).all() == [(2, second.id)]


def test_a_plan_that_stands_is_found_and_no_other_takes_its_place(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 5)
    with db.transaction(engine) as session:
        desk.make_list(session, now, 8, name="alerts")
    plan = planned(engine, issue, now)
    for lists in ([], ["weekly"]):
        again = planned(engine, issue, now, lists=lists)
        assert (again.size, again.new, again.lists, again.planned_at) == (5, False, ("weekly",), plan.planned_at)
    for others in (("alerts",), ("alerts", "weekly")):
        with pytest.raises(Refused, match=r"audience of 5 \(--list weekly\).*go on with it: newsletter send 1$"):
            planned(engine, issue, now, lists=others)
    assert len(desk.states(engine, issue)) == 5


def test_no_list_an_unknown_list_and_an_empty_one_are_refused_and_leave_nothing(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        desk.leave(session, 1, now)
    with pytest.raises(Refused, match="name a list: newsletter send 1 --list LIST"):
        planned(engine, issue, now, lists=())
    with pytest.raises(errors.NotFound, match="weakly"):
        planned(engine, issue, now, lists=("weakly",))
    with pytest.raises(Refused, match="has nobody to go to"):
        planned(engine, issue, now)
    assert desk.states(engine, issue) == {}
    with db.reading(engine) as session:
        assert planning.find(session, issue) is None
