"""Parts: a share of the audience, drawn by lot, goes first and evenly under the subjects."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import batches, planning
from newsletter.delivery.models import BatchState, DeliveryState
from newsletter.delivery.parts import Parts, lot
from newsletter.delivery.tables import BATCH, DELIVERY
from newsletter.errors import BadInput
from subscribers.models import Frequency
from tests.delivery import desk


def plan(session: Session, issue: int, now: datetime, *, share: float = 0, variants: int = 1) -> None:
    planning.plan(
        session, issue, lists=["weekly"], segments=[], batch=4, share=share, variants=variants, actor="mara", now=now
    )


def drawn(session: Session, issue: int) -> dict[tuple[int, int], int]:
    query = select(DELIVERY.c.part, DELIVERY.c.variant, func.count()).where(DELIVERY.c.issue_id == issue)
    return {(part, variant): count for part, variant, count in session.execute(query.group_by("part", "variant"))}


@pytest.mark.parametrize(
    ("readers", "share", "variants", "expected"),
    [
        (40, 0.25, 1, {(1, 0): 10, (0, 0): 30}),
        (41, 0.25, 4, {(1, 0): 3, (1, 1): 3, (1, 2): 2, (1, 3): 2, (0, 0): 31}),
        (30, 0.001, 1, {(1, 0): 1, (0, 0): 29}),
        (30, 0.001, 3, {(1, 0): 1, (1, 1): 1, (1, 2): 1, (0, 0): 27}),
        (5, 0.5, 1, {(1, 0): 3, (0, 0): 2}),
        (3, 1, 1, {(1, 0): 3}),
        (3, 0, 1, {(0, 0): 3}),
    ],
)
def test_a_share_is_exact_and_even(
    engine: Engine, now: datetime, readers: int, share: float, variants: int, expected: dict[tuple[int, int], int]
) -> None:
    issue = desk.make(engine, now, readers)
    with db.transaction(engine) as session:
        plan(session, issue, now, share=share, variants=variants)
        assert drawn(session, issue) == expected


def test_whoever_gets_no_copy_is_not_drawn(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 12)
    with db.transaction(engine) as session:
        for number in (1, *DRAWN):
            desk.wants(session, number, Frequency.WEEKLY)
            desk.had(session, number, now)
        plan(session, issue, now, share=0.5)
        first = (DELIVERY.c.issue_id == issue, DELIVERY.c.part == 1)
        assert session.execute(select(DELIVERY.c.state).where(*first)).scalars().all() == [DeliveryState.PENDING] * 4


def test_no_batch_holds_two_parts_and_the_share_goes_first(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 21)
    with db.transaction(engine) as session:
        plan(session, issue, now, share=0.3)
        query = (
            select(BATCH.c.part, DELIVERY.c.part, func.count())
            .join_from(BATCH, DELIVERY, DELIVERY.c.batch_id == BATCH.c.id)
            .group_by(BATCH.c.id, BATCH.c.part, DELIVERY.c.part)
            .order_by(BATCH.c.id)
        )
        assert session.execute(query).all() == [(1, 1, 4), (1, 1, 2), (0, 0, 4), (0, 0, 4), (0, 0, 4), (0, 0, 3)]


def test_batches_keep_parts_apart_wherever_their_readers_stand(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 12)
    with db.transaction(engine) as session:
        plan(session, issue, now)
        session.execute(update(BATCH).values(state=BatchState.DONE))
        session.execute(update(DELIVERY).values(batch_id=None, part=DELIVERY.c.id % 2))
        assert batches.form(session, issue, batch=4, now=now) == 4
        held = select(DELIVERY.c.batch_id, func.min(DELIVERY.c.part), func.max(DELIVERY.c.part), func.count())
        found = session.execute(held.group_by(DELIVERY.c.batch_id).order_by(DELIVERY.c.batch_id)).all()
        assert [tuple(row)[1:] for row in found] == [(1, 1, 4), (1, 1, 2), (0, 0, 4), (0, 0, 2)]


def test_a_part_is_formed_again_while_batches_of_the_other_wait(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 12)
    with db.transaction(engine) as session:
        plan(session, issue, now, share=0.5)
        first = BATCH.c.part == 1
        session.execute(update(BATCH).where(first).values(state=BatchState.DONE))
        again = {"batch_id": None, "state": DeliveryState.DEFERRED, "due_at": now, "reason": "transient"}
        session.execute(update(DELIVERY).where(DELIVERY.c.part == 1, DELIVERY.c.variant == 0).values(**again))
        assert batches.form(session, issue, batch=4, part=0, now=now) == 0
        assert batches.form(session, issue, batch=4, part=1, now=now) == 2
        waiting = select(BATCH.c.part, func.count()).where(BATCH.c.state == BatchState.OPEN).group_by(BATCH.c.part)
        assert dict(session.execute(waiting).all()) == {0: 2, 1: 2}


def test_the_draw_is_the_same_on_both_databases_and_another_for_each_issue(engine: Engine, now: datetime) -> None:
    issue = desk.make(engine, now, 10)
    with db.transaction(engine) as session:
        plan(session, issue, now, share=0.3)
        query = select(DELIVERY.c.subscriber_id).where(DELIVERY.c.part == 1).order_by(DELIVERY.c.subscriber_id)
        readers = select(DELIVERY.c.subscriber_id).order_by(lot(issue, DELIVERY.c.subscriber_id)).limit(3)
        chosen = session.execute(query).scalars().all()
        assert chosen == sorted(session.execute(readers).scalars()) == DRAWN
        others = select(DELIVERY.c.subscriber_id).order_by(lot(issue + 1, DELIVERY.c.subscriber_id)).limit(3)
        assert sorted(session.execute(others).scalars()) != chosen


#: Whom issue 1 draws of readers 1 to 10.
DRAWN = [8, 9, 10]


@given(st.integers(1, 2**31 - 1))
def test_no_two_readers_have_the_same_lot_and_lots_are_spread(start: int) -> None:
    prime = 2**31 - 1
    lots = [pow(start + each, 5, prime) for each in range(2000)]
    assert len(set(lots)) == 2000
    assert 800 < sum(each < prime // 2 for each in lots) < 1200


@pytest.mark.parametrize("share", [-0.1, 1.01, 5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(BadInput, match="lies between 0 and 1"):
        Parts(share=share)
