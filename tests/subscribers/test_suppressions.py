"""Addresses that must not be mailed, everywhere or on one list."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from subscribers import addresses, subscribers, suppressions
from subscribers.errors import BadAddress, NotFound
from subscribers.models import Subscriber, Subscription, Suppression, SuppressionReason
from tests.support.keys import KEYRING


def test_one_suppression_stands_for_an_address_however_it_is_spelled(session: Session, now: datetime) -> None:
    add = suppressions.add
    assert add(session, "Ada@Example.com", reason=SuppressionReason.HARD_BOUNCE, source="issue 3", now=now)
    assert not add(session, "ada@example.com", reason=SuppressionReason.MANUAL, source="", now=now)
    [only] = suppressions.all(session)
    assert (only.email, only.reason, only.source, only.at) == ("ada@example.com", "hard_bounce", "issue 3", now)
    assert suppressions.standing(session, addresses.parse("ADA@example.com").key) == only


def test_lifting_ends_a_suppression_and_keeps_its_row(session: Session, now: datetime) -> None:
    suppressions.add(session, "ada@example.com", reason=SuppressionReason.MANUAL, source="", now=now)
    suppressions.lift(session, "Ada@example.com", by="kim", now=now)
    assert suppressions.all(session) == []
    assert suppressions.standing(session, "ada@example.com") is None
    with pytest.raises(NotFound, match=r"ada@example\.com is not suppressed"):
        suppressions.lift(session, "ada@example.com", by="kim", now=now)
    assert suppressions.add(session, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", now=now)
    rows = session.exec(select(Suppression).order_by(col(Suppression.id))).all()
    assert [(row.lifted_by, row.lifted_at) for row in rows] == [("kim", now), ("", None)]


def test_what_a_relay_said_gives_way_to_whatever_else_is_said(session: Session, now: datetime) -> None:
    later = now + timedelta(minutes=1)
    assert suppressions.bounce(session, "ada@example.com", issue_id=3, reply="550 5.1.1 no", now=now)
    assert not suppressions.bounce(session, "ada@example.com", issue_id=4, reply="550 5.1.1 no", now=later)
    assert suppressions.add(session, "Ada@example.com", reason=SuppressionReason.COMPLAINT, source="kim", now=later)
    assert not suppressions.add(session, "ada@example.com", reason=SuppressionReason.MANUAL, source="jo", now=later)
    assert not suppressions.bounce(session, "ada@example.com", issue_id=3, reply="550 5.1.1 no", now=later)
    told = [(each.reason, each.source, each.lifted_at) for each in suppressions.of(session, "ada@example.com")]
    assert told == [("hard_bounce", "issue 3: 550 5.1.1 no", later), ("complaint", "kim", None)]


def test_what_a_relay_said_can_be_withdrawn_and_nothing_else(desk: Session, now: datetime) -> None:
    said = {"ada": 3, "bob": 30, "con": 3}
    for name, issue in said.items():
        suppressions.bounce(desk, f"{name}@example.com", issue_id=issue, reply="550 5.1.1 no", now=now)
    for name, on in (("con", ""), ("ada", "weekly"), ("dan", "")):
        reason, source = SuppressionReason.HARD_BOUNCE, "issue 3, says kim"
        assert suppressions.add(desk, f"{name}@example.com", reason=reason, source=source, list=on, now=now)
    keys = [f"{name}@example.com" for name in ("ada", "bob", "con", "dan")]
    suppressions.withdraw(desk, keys, issue_id=3, by="the breaker", now=now)
    standing = [(each.email[:3], each.list, each.source[:7]) for each in suppressions.all(desk)]
    assert standing == [
        ("bob", "", "issue 3"),
        ("con", "", "issue 3"),
        ("ada", "weekly", "issue 3"),
        ("dan", "", "issue 3"),
    ]
    assert [each.lifted_by for each in suppressions.of(desk, "ada@example.com")] == ["the breaker", ""]


def test_what_is_no_address_cannot_be_suppressed(session: Session, now: datetime) -> None:
    with pytest.raises(BadAddress):
        suppressions.add(session, "nobody", reason=SuppressionReason.MANUAL, source="", now=now)


def test_a_suppression_may_hold_on_one_list_beside_one_that_holds_everywhere(desk: Session, now: datetime) -> None:
    for on in ("weekly", "alerts", ""):
        made = suppressions.add(
            desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", list=on, event_id=7, now=now
        )
        assert made
        assert not suppressions.add(
            desk, "Ada@example.com", reason=SuppressionReason.MANUAL, source="", list=on, now=now
        )
    assert [(each.list, each.event_id) for each in suppressions.all(desk)] == [("weekly", 7), ("alerts", 7), ("", 7)]
    assert [each.list for each in suppressions.all(desk, limit=1, after=1)] == ["alerts"]
    suppressions.lift(desk, "ada@example.com", list="weekly", by="kim", now=now)
    with pytest.raises(NotFound, match=r"not suppressed on weekly; it is on alerts \(--list alerts\), everywhere"):
        suppressions.lift(desk, "ada@example.com", list="weekly", by="kim", now=now)
    assert suppressions.counts(desk)[SuppressionReason.COMPLAINT] == 2
    with pytest.raises(NotFound, match="no list 'weakly'"):
        suppressions.add(desk, "ada@example.com", reason=SuppressionReason.MANUAL, source="", list="weakly", now=now)


def test_who_is_suppressed_on_one_list_may_be_mailed_by_another(desk: Session, now: datetime) -> None:
    for name in ("ada", "bob"):
        subscribers.add(desk, f"{name}@example.com", lists=["weekly", "alerts"], keyring=KEYRING, now=now)
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", list="weekly", now=now)
    suppressions.add(desk, "bob@example.com", reason=SuppressionReason.COMPLAINT, source="", now=now)
    on = col(Subscription.list_id)
    query = select(Subscriber.email, on).join(Subscription).order_by(col(Subscriber.id), on)
    free = desk.exec(query.where(~suppressions.stands(on))).all()  # type: ignore[arg-type]
    assert free == [("ada@example.com", 2)]
    assert desk.exec(select(Subscriber.email).where(~suppressions.stands())).all() == ["ada@example.com"]
    assert [suppressions.bars(desk, "ada@example.com", on=number) for number in (1, 2)] == [True, False]
    assert [suppressions.bars(desk, "bob@example.com", on=number) for number in (1, 2)] == [True, True]
    assert [each.suppressed for each in subscribers.all(desk)] == ["", "complaint"]
