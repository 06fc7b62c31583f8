"""A reader's own wish to join, and what a stranger who types their address cannot do."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from subscribers import erasures, lists, signups, subscribers, subscriptions, suppressions
from subscribers.errors import BadAddress, BadValue, NotFound, Refused
from subscribers.models import Consent, ConsentEvent, Frequency, OptIn, Subscriber, SuppressionReason
from subscribers.signups import Form, Outcome, SignUp
from tests.support.keys import KEYRING

WORDS = "Yes, send me The week."


def sign_up(
    session: Session, now: datetime, email: str = "ada@example.com", *, on: str = "weekly", **more: Any
) -> SignUp:
    wishes = dict.fromkeys(on.split(), WORDS)
    return signups.sign_up(session, email, **{"wishes": wishes, "form": Form(), "keyring": KEYRING, "now": now, **more})


def outcome(signed: SignUp) -> Outcome:
    (one,) = signed.outcomes.values()
    return one


def test_a_double_opt_in_waits_for_the_mail(desk: Session, now: datetime) -> None:
    signed = sign_up(desk, now, "Info@Example.com", name="Ada", topics=["Energy"], frequency=Frequency.WEEKLY)
    assert outcome(signed) is Outcome.ASKED
    assert signed.asked
    assert (signed.asked.questions[0].email, signed.asked.questions[0].list) == ("Info@Example.com", "weekly")
    ada = subscribers.find(desk, "info@example.com")
    assert (ada.subscriptions, ada.topics, ada.frequency, ada.role_account) == (
        {"weekly": "pending"}, ["energy"], Frequency.WEEKLY, True,
    )  # fmt: skip
    assert [row.event for row in desk.exec(select(Consent))] == [ConsentEvent.REQUESTED]


def test_a_single_opt_in_joins_at_once_with_the_words_as_proof(desk: Session, now: datetime) -> None:
    lists.edit(desk, "weekly", opt_in=OptIn.SINGLE)
    assert outcome(sign_up(desk, now)) is Outcome.JOINED
    proof = desk.exec(select(Consent)).one()
    assert (proof.event, proof.words, proof.method) == (ConsentEvent.CONFIRMED, WORDS, "form")
    assert outcome(sign_up(desk, now)) is Outcome.ALREADY
    assert len(desk.exec(select(Consent)).all()) == 1


def test_a_stranger_overwrites_nothing_of_somebody_known(desk: Session, now: datetime) -> None:
    subscribers.add(desk, "ada@example.com", lists=["alerts"], name="Ada", topics=["energy"], keyring=KEYRING, now=now)
    assert outcome(sign_up(desk, now, name="Mallory", topics=["spam"], frequency=Frequency.MONTHLY)) is Outcome.ASKED
    ada = subscribers.find(desk, "ada@example.com")
    assert (ada.name, ada.topics, ada.frequency) == ("Ada", ["energy"], Frequency.EVERY_ISSUE)
    assert ada.subscriptions == {"alerts": "confirmed", "weekly": "pending"}


def test_a_sign_up_never_takes_a_confirmed_reader_back_to_waiting(desk: Session, now: datetime) -> None:
    subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    signed = sign_up(desk, now)
    assert (outcome(signed), signed.asked) == (Outcome.ALREADY, None)
    assert subscribers.find(desk, "ada@example.com").subscriptions == {"weekly": "confirmed"}


def test_who_left_may_ask_to_come_back(desk: Session, now: datetime) -> None:
    ada = subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    subscriptions.unsubscribe(desk, subscriber_id=ada.id, list_id=1, method="link", now=now)
    assert outcome(sign_up(desk, now)) is Outcome.ASKED
    assert subscribers.find(desk, "ada@example.com").subscriptions == {"weekly": "pending"}


@pytest.mark.parametrize("on", ["", "weekly"])
def test_nothing_is_written_of_the_suppressed(desk: Session, now: datetime, on: str) -> None:
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", list=on, now=now)
    assert sign_up(desk, now) == SignUp(outcomes={"weekly": Outcome.SUPPRESSED})
    assert desk.exec(select(Subscriber)).all() == []
    if on:
        assert outcome(sign_up(desk, now, on="alerts")) is Outcome.ASKED


def test_a_sign_up_that_cannot_be_kept_is_refused_whole(desk: Session, now: datetime) -> None:
    for error, more in (
        (BadAddress, {"email": "ada@example.com\r\nBcc: x@example.com"}),
        (BadValue, {"name": "A\0da"}),
        (BadValue, {"topics": ["a\nb"]}),
        (NotFound, {"on": "weakly"}),
        (Refused, {"wishes": {"weekly": " "}}),
        (Refused, {"on": ""}),
    ):
        with pytest.raises(error):
            sign_up(desk, now, **more)
    assert desk.exec(select(Subscriber)).all() == []


def test_one_sign_up_asks_for_several_lists_at_once(desk: Session, now: datetime) -> None:
    lists.edit(desk, "alerts", opt_in=OptIn.SINGLE)
    lists.create(desk, "daily", now=now)
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", list="daily", now=now)
    lists.create(desk, "monthly", now=now)
    wishes = {"weekly": "The week", "alerts": "Alerts", "daily": "The day", "monthly": "The month"}
    signed = sign_up(desk, now, wishes=wishes)
    assert signed.outcomes == {"daily": "suppressed", "weekly": "asked", "alerts": "joined", "monthly": "asked"}
    assert signed.asked
    assert [(each.list, each.words) for each in signed.asked.questions] == [
        ("weekly", "The week"), ("monthly", "The month"),
    ]  # fmt: skip
    assert {(row.event, row.words) for row in desk.exec(select(Consent))} == {
        ("requested", "The week"), ("requested", "The month"), ("confirmed", "Alerts"),
    }  # fmt: skip


def test_a_word_that_somebody_else_relays_brings_nobody_back_by_itself(desk: Session, now: datetime) -> None:
    lists.edit(desk, "weekly", opt_in=OptIn.SINGLE)
    ada = subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    subscriptions.unsubscribe(desk, subscriber_id=ada.id, list_id=1, method="link", now=now)
    erasures.keep(desk, KEYRING, "cyd@example.com", now=now)
    for email in ("ada@example.com", "cyd@example.com"):
        assert outcome(sign_up(desk, now, email, form=Form(relayed=True))) is Outcome.ASKED
    assert outcome(sign_up(desk, now, "new@example.com", form=Form(relayed=True))) is Outcome.JOINED
