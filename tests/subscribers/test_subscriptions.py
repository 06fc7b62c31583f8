"""Leaving a list, coming back, and addresses that must not be mailed."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from subscribers import addresses, subscribers, subscriptions, suppressions
from subscribers.errors import BadAddress, NotFound
from subscribers.models import Consent, ConsentEvent, Subscription, SubscriptionState, Suppression, SuppressionReason
from tests.support.keys import KEYRING


@pytest.fixture
def ada(desk: Session, now: datetime) -> int:
    """Return the number of a subscriber of both lists."""
    return subscribers.add(desk, "ada@example.com", lists=["weekly", "alerts"], keyring=KEYRING, now=now).id


def states(session: Session) -> dict[int, SubscriptionState]:
    """Return the stored state by list."""
    return {row.list_id: row.state for row in session.exec(select(Subscription))}


def test_unsubscribing_leaves_one_list_and_keeps_the_proof(desk: Session, ada: int, now: datetime) -> None:
    later = now + timedelta(hours=1)
    assert subscriptions.unsubscribe(
        desk, subscriber_id=ada, list_id=1, method="one-click", now=later, ip="192.0.2.7", user_agent="Mail\r\n\0/1.0"
    )
    assert states(desk) == {1: SubscriptionState.UNSUBSCRIBED, 2: SubscriptionState.CONFIRMED}
    proof = desk.exec(select(Consent).order_by(col(Consent.id).desc())).first()
    assert proof is not None
    assert (proof.subscriber_id, proof.list_id, proof.event) == (ada, 1, ConsentEvent.WITHDRAWN)
    assert (proof.method, proof.ip, proof.user_agent, proof.at) == ("one-click", "192.0.2.7", "Mail/1.0", later)


def test_unsubscribing_again_changes_nothing(desk: Session, ada: int, now: datetime) -> None:
    assert subscriptions.unsubscribe(desk, subscriber_id=ada, list_id=1, method="link", now=now)
    count = len(desk.exec(select(Consent)).all())
    assert not subscriptions.unsubscribe(desk, subscriber_id=ada, list_id=1, method="link", now=now)
    assert len(desk.exec(select(Consent)).all()) == count


def test_nobody_is_unsubscribed_by_a_number_that_names_nobody(desk: Session, ada: int, now: datetime) -> None:
    for subscriber_id, list_id in ((0, 1), (ada, 9), (ada + 1, 1)):
        assert not subscriptions.unsubscribe(desk, subscriber_id=subscriber_id, list_id=list_id, method="link", now=now)
    assert set(states(desk).values()) == {SubscriptionState.CONFIRMED}


def test_who_waits_for_confirmation_can_leave_too(desk: Session, ada: int, now: datetime) -> None:
    row = desk.exec(select(Subscription).where(col(Subscription.list_id) == 1)).one()
    row.state = SubscriptionState.PENDING
    desk.flush()
    assert subscriptions.unsubscribe(desk, subscriber_id=ada, list_id=1, method="link", now=now)
    assert not subscriptions.resubscribe(desk, subscriber_id=ada, list_id=2, method="link", now=now)


def test_leaving_everything_and_coming_back_to_one(desk: Session, ada: int, now: datetime) -> None:
    for number in (1, 2):
        assert subscriptions.unsubscribe(desk, subscriber_id=ada, list_id=number, method="link", now=now)
    assert subscriptions.resubscribe(desk, subscriber_id=ada, list_id=1, method="undo", now=now)
    assert not subscriptions.resubscribe(desk, subscriber_id=ada, list_id=1, method="undo", now=now)
    standing = subscriptions.of(desk, ada)
    assert [(each.list_id, each.name, each.title, each.state) for each in standing] == [
        (2, "alerts", "Alerts", SubscriptionState.UNSUBSCRIBED),
        (1, "weekly", "The week", SubscriptionState.CONFIRMED),
    ]
    events = [
        row.event for row in desk.exec(select(Consent).where(col(Consent.list_id) == 1).order_by(col(Consent.id)))
    ]
    assert events == [ConsentEvent.CONFIRMED, ConsentEvent.WITHDRAWN, ConsentEvent.CONFIRMED]


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


def test_what_is_no_address_cannot_be_suppressed(session: Session, now: datetime) -> None:
    with pytest.raises(BadAddress):
        suppressions.add(session, "nobody", reason=SuppressionReason.MANUAL, source="", now=now)
