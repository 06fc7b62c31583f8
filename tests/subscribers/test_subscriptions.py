"""Leaving a list, and coming back."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from subscribers import subscribers, subscriptions
from subscribers.models import Consent, ConsentEvent, Subscription, SubscriptionState
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
