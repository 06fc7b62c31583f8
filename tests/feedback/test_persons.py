"""All that is held about one person, and taking it out."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY
from newsletter.feedback import events, persons
from newsletter.feedback.models import EventKind
from newsletter.issues.models import Issue
from subscribers import addresses, erasures, lists, pauses, signups, subscribers, suppressions
from subscribers.errors import NotFound, Refused
from subscribers.models import SuppressionReason
from subscribers.signups import Form
from tests.delivery import desk
from tests.support.keys import KEYRING

EMAIL = "Ada.Unmistakable@example.com"
WISH = {"alerts": "Yes, send me the alerts."}
FORM = Form(ip="192.0.2.77", user_agent="Unmistakable/1")


@pytest.fixture
def session(engine: Engine, now: datetime) -> Iterator[Session]:
    """Return a transaction in which much is known of one person, and a little of another."""
    with Session(engine, expire_on_commit=False) as session:
        _fill(session, now)
        yield session


def _fill(session: Session, now: datetime) -> None:
    for name in ("weekly", "alerts"):
        lists.create(session, name, now=now)
    issue = desk.make_issue(session, now)
    ada = subscribers.add(session, EMAIL, lists=["weekly"], topics=["energy"], name="Ada", keyring=KEYRING, now=now)
    bob = subscribers.add(session, "bob@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    signups.sign_up(session, EMAIL, wishes=WISH, form=FORM, keyring=KEYRING, now=now)
    for reader in (ada, bob):
        copy = {"issue_id": issue, "subscriber_id": reader.id, "list_id": 1, "state": DeliveryState.FAILED,
                "reason": "mailbox full", "reply": f"552 5.2.2 <{reader.email}>: full", "attempts": 2,
                "changed_at": now}  # fmt: skip
        session.execute(insert(DELIVERY).values(copy))
        events.record(session, EventKind.BOUNCED, subscriber_id=reader.id, issue_id=issue,
                      detail={"to": reader.email}, now=now)  # fmt: skip
    for on in ("", "alerts"):
        suppressions.add(session, EMAIL, reason=SuppressionReason.COMPLAINT, source=f"by {EMAIL}", list=on, now=now)
    suppressions.lift(session, EMAIL, by="kim", now=now)
    session.execute(update(Issue).values(note=f"the relay refuses (at {EMAIL}), wait"))
    session.commit()


def dump(session: Session) -> str:
    """Return every row of every table as text."""
    return "\n".join(
        repr(row) for table in db.tables().sorted_tables for row in session.execute(table.select()).mappings()
    )


def test_a_person_is_told_whole(session: Session, now: datetime) -> None:
    person = persons.find(session, EMAIL.lower(), keyring=KEYRING, now=now)
    assert person.subscriber
    assert (person.subscriber.email, person.subscriber.topics) == (EMAIL, ["energy"])
    assert [(each.list, each.mailable, each.why) for each in person.lists] == [
        ("alerts", False, "they have not confirmed yet"), ("weekly", True, "confirmed"),
    ]  # fmt: skip
    assert [(each.list, each.lifted_by) for each in person.suppressions] == [("", "kim"), ("alerts", "")]
    assert [(each.list, each.event) for each in person.consents] == [("weekly", "confirmed"), ("alerts", "requested")]
    assert [(each.list, each.used_at) for each in person.confirmations] == [("alerts", None)]
    [copy] = person.deliveries
    assert (copy.issue, copy.state, copy.reason, copy.attempts) == (1, "failed", "mailbox full", 2)
    assert [(each.kind, each.detail) for each in person.events] == [("bounced", {"to": EMAIL})]
    assert "bob" not in json.dumps(asdict(person), default=str)


def test_each_list_says_why_it_must_not_mail(session: Session, now: datetime) -> None:
    suppressions.add(session, EMAIL, reason=SuppressionReason.HARD_BOUNCE, source="", list="weekly", now=now)
    assert [each.why for each in persons.find(session, EMAIL, keyring=KEYRING, now=now).lists][1] == (
        "suppressed on this list: hard_bounce"
    )
    suppressions.add(session, EMAIL, reason=SuppressionReason.INVALID, source="", now=now)
    person = persons.find(session, EMAIL, keyring=KEYRING, now=now)
    assert [each.why for each in person.lists][1] == "suppressed: invalid"


def test_a_pause_is_told_for_every_list(session: Session, now: datetime) -> None:
    pauses.until(session, 1, (now + timedelta(days=3)).date(), now=now)
    lists_of = [persons.find(session, EMAIL, keyring=KEYRING, now=now + timedelta(days=days)).lists for days in (0, 3)]
    assert [[(each.mailable, each.why) for each in found][1] for found in lists_of] == [
        (False, "paused until 2026-11-05"), (True, "confirmed"),
    ]  # fmt: skip


def test_an_address_of_no_subscriber_may_still_be_held(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound, match=r"nothing is held about cyd@example\.com"):
        persons.find(session, "cyd@example.com", keyring=KEYRING, now=now)
    suppressions.add(session, "cyd@example.com", reason=SuppressionReason.MANUAL, source="", now=now)
    person = persons.find(session, "cyd@example.com", keyring=KEYRING, now=now)
    assert (person.subscriber, len(person.suppressions)) == (None, 1)


def test_erasing_leaves_only_a_keyed_hash(session: Session, now: datetime) -> None:
    assert "unmistakable" in dump(session).lower()
    erased = persons.erase(session, "ADA.unmistakable@example.com", keyring=KEYRING, now=now)
    assert (erased.subscriptions, erased.suppressions, erased.consents, erased.deliveries, erased.events) == (
        2, 2, 2, 1, 1,
    )  # fmt: skip
    session.commit()
    left = dump(session)
    for trace in ("unmistakable", "192.0.2.77", "'Ada'"):
        assert trace.lower() not in left.lower()
    assert erasures.digest(KEYRING, 1, addresses.parse(EMAIL).key) in left
    assert "bob@example.com" in left
    assert "552 5.2.2 <bob@example.com>" in left
    person = persons.find(session, EMAIL, keyring=KEYRING, now=now)
    assert (person.subscriber, person.erased, person.suppressions) == (None, True, [])


def test_an_erased_address_is_kept_out_until_its_owner_asks(session: Session, now: datetime) -> None:
    persons.erase(session, EMAIL, keyring=KEYRING, now=now)
    persons.erase(session, EMAIL, keyring=KEYRING, now=now)
    with pytest.raises(Refused, match="erased at its owner's wish"):
        subscribers.add(session, EMAIL, lists=["weekly"], keyring=KEYRING, now=now)
    signed = signups.sign_up(session, EMAIL, wishes=WISH, form=FORM, keyring=KEYRING, now=now)
    assert signed.outcomes == {"alerts": "asked"}


def test_somebody_who_never_subscribed_can_be_kept_out_too(session: Session, now: datetime) -> None:
    erased = persons.erase(session, "cyd@example.com", keyring=KEYRING, now=now)
    assert (erased.subscriber_id, erased.consents, erased.events) == (None, 0, 0)
    assert erasures.among(session, KEYRING, ["cyd@example.com", "dot@example.com"]) == {"cyd@example.com"}


@pytest.mark.parametrize(
    "change",
    ["UPDATE consent SET ip = 'x'", "UPDATE consent SET ip = ''", "UPDATE consent SET user_agent = ''",
     "UPDATE consent SET subscriber_id = NULL, ip = 'x'", "UPDATE event SET detail = '{}'",
     """UPDATE event SET subscriber_id = NULL, detail = '{"a": 1}'""", "UPDATE consent SET message_id = 'x'"],
)  # fmt: skip
def test_the_database_lets_go_of_a_person_whole_or_not_at_all(session: Session, change: str) -> None:
    with pytest.raises(Exception, match="are never changed"):
        session.execute(text(change))
    session.rollback()
