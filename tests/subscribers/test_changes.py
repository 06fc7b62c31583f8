"""What the desk corrects about one person."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from subscribers import attributes, changes, erasures, subscribers, suppressions
from subscribers.changes import Change
from subscribers.errors import BadAddress, BadValue, NotFound, Refused
from subscribers.models import AttributeType, Frequency, SuppressionReason
from subscribers.subscribers import SubscriberView
from tests.support.keys import KEYRING


@pytest.fixture
def ada(desk: Session, now: datetime) -> SubscriberView:
    """Return somebody of whom several things are known."""
    attributes.add(desk, "plan", now=now)
    attributes.add(desk, "seats", type=AttributeType.INT, now=now)
    subscribers.add(
        desk, "ada@example.com", lists=["weekly"], topics=["energy", "cloud"], name="Ada", country="DE",
        attributes={"plan": "pro", "seats": "3"}, keyring=KEYRING, now=now,
    )  # fmt: skip
    return subscribers.find(desk, "ada@example.com")


def test_what_is_not_given_stays(desk: Session, ada: SubscriberView) -> None:
    assert changes.apply(desk, "ADA@example.com", Change(), keyring=KEYRING) == ada
    changed = changes.apply(desk, "ada@example.com", Change(language="DE", name=""), keyring=KEYRING)
    assert (changed.language, changed.name, changed.country, changed.topics) == ("de", "", "DE", ["cloud", "energy"])
    assert changed.attributes == {"plan": "pro", "seats": 3}


def test_topics_frequency_and_attributes_change_one_by_one(desk: Session, ada: SubscriberView) -> None:
    change = Change(
        topics=["Networks"], not_topics=["cloud"], frequency=Frequency.MONTHLY, attributes={"seats": "12", "plan": ""}
    )
    assert change.fields() == ["frequency", "topics", "not_topics", "attributes"]
    changed = changes.apply(desk, "ada@example.com", change, keyring=KEYRING)
    assert (changed.topics, changed.frequency) == (["energy", "networks"], Frequency.MONTHLY)
    assert changed.attributes == {"seats": 12}


def test_an_address_changes_with_its_flags_and_keeps_the_person(desk: Session, ada: SubscriberView) -> None:
    changed = changes.apply(desk, "ada@example.com", Change(email="Info@Mailinator.com"), keyring=KEYRING)
    assert (changed.id, changed.email, changed.role_account, changed.disposable) == (
        ada.id, "Info@Mailinator.com", True, True,
    )  # fmt: skip
    assert changed.subscriptions == ada.subscriptions
    with pytest.raises(NotFound):
        subscribers.find(desk, "ada@example.com")


def test_an_address_that_another_has_or_that_must_not_be_mailed_is_refused(
    desk: Session, ada: SubscriberView, now: datetime
) -> None:
    subscribers.add(desk, "bob@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    suppressions.add(desk, "cyd@example.com", reason=SuppressionReason.COMPLAINT, source="", now=now)
    erasures.keep(desk, KEYRING, "dot@example.com", now=now + timedelta(days=1))
    for email, says in (("BOB@example.com", "another subscriber"), ("cyd@example.com", "complaint"),
                        ("dot@example.com", "erased")):  # fmt: skip
        with pytest.raises(Refused, match=says):
            changes.apply(desk, "ada@example.com", Change(email=email, name="New"), keyring=KEYRING)
    assert subscribers.find(desk, "ada@example.com") == ada


def test_a_change_that_cannot_be_kept_changes_nothing(desk: Session, ada: SubscriberView) -> None:
    for error, change in (
        (BadValue, Change(name="A\nB")),
        (BadValue, Change(country="Germany", name="New")),
        (BadValue, Change(attributes={"seats": "many"}, name="New")),
        (BadValue, Change(attributes={"sets": "3"})),
        (BadAddress, Change(email="nobody")),
    ):
        with pytest.raises(error):
            changes.apply(desk, "ada@example.com", change, keyring=KEYRING)
    assert subscribers.find(desk, "ada@example.com") == ada
    with pytest.raises(NotFound, match="bob@example.com"):
        changes.apply(desk, "bob@example.com", Change(name="Bob"), keyring=KEYRING)
