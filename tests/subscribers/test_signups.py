"""A reader's own wish to join, and what a stranger who types their address cannot do."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from subscribers import lists, signups, subscribers, subscriptions, suppressions
from subscribers.errors import BadAddress, BadValue, NotFound, Refused
from subscribers.models import Consent, ConsentEvent, Frequency, OptIn, Subscriber, SuppressionReason
from subscribers.signups import Form, Outcome, SignUp
from tests.support.keys import KEYRING

FORM = Form(shown="Yes, send me The week.")


def sign_up(session: Session, now: datetime, email: str = "ada@example.com", **more: Any) -> SignUp:
    return signups.sign_up(session, email, **{"list": "weekly", "form": FORM, "keyring": KEYRING, "now": now, **more})


def test_a_double_opt_in_waits_for_the_mail(desk: Session, now: datetime) -> None:
    signed = sign_up(desk, now, "Info@Example.com", name="Ada", topics=["Energy"], frequency=Frequency.WEEKLY)
    assert signed.outcome is Outcome.ASKED
    assert signed.asked
    assert (signed.asked.question.email, signed.asked.question.list) == ("Info@Example.com", "weekly")
    ada = subscribers.find(desk, "info@example.com")
    assert (ada.subscriptions, ada.topics, ada.frequency, ada.role_account) == (
        {"weekly": "pending"}, ["energy"], Frequency.WEEKLY, True,
    )  # fmt: skip
    assert [row.event for row in desk.exec(select(Consent))] == [ConsentEvent.REQUESTED]


def test_a_single_opt_in_joins_at_once_with_the_words_as_proof(desk: Session, now: datetime) -> None:
    lists.edit(desk, "weekly", opt_in=OptIn.SINGLE)
    assert sign_up(desk, now).outcome is Outcome.JOINED
    proof = desk.exec(select(Consent)).one()
    assert (proof.event, proof.words, proof.method) == (ConsentEvent.CONFIRMED, FORM.shown, "form")
    assert sign_up(desk, now).outcome is Outcome.ALREADY
    assert len(desk.exec(select(Consent)).all()) == 1


def test_a_stranger_overwrites_nothing_of_somebody_known(desk: Session, now: datetime) -> None:
    subscribers.add(desk, "ada@example.com", lists=["alerts"], name="Ada", topics=["energy"], keyring=KEYRING, now=now)
    assert sign_up(desk, now, name="Mallory", topics=["spam"], frequency=Frequency.MONTHLY).outcome is Outcome.ASKED
    ada = subscribers.find(desk, "ada@example.com")
    assert (ada.name, ada.topics, ada.frequency) == ("Ada", ["energy"], Frequency.EVERY_ISSUE)
    assert ada.subscriptions == {"alerts": "confirmed", "weekly": "pending"}


def test_a_sign_up_never_takes_a_confirmed_reader_back_to_waiting(desk: Session, now: datetime) -> None:
    subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    signed = sign_up(desk, now)
    assert (signed.outcome, signed.asked) == (Outcome.ALREADY, None)
    assert subscribers.find(desk, "ada@example.com").subscriptions == {"weekly": "confirmed"}


def test_who_left_may_ask_to_come_back(desk: Session, now: datetime) -> None:
    ada = subscribers.add(desk, "ada@example.com", lists=["weekly"], keyring=KEYRING, now=now)
    subscriptions.unsubscribe(desk, subscriber_id=ada.id, list_id=1, method="link", now=now)
    assert sign_up(desk, now).outcome is Outcome.ASKED
    assert subscribers.find(desk, "ada@example.com").subscriptions == {"weekly": "pending"}


@pytest.mark.parametrize("on", ["", "weekly"])
def test_nothing_is_written_of_the_suppressed(desk: Session, now: datetime, on: str) -> None:
    suppressions.add(desk, "ada@example.com", reason=SuppressionReason.COMPLAINT, source="", list=on, now=now)
    assert sign_up(desk, now) == SignUp(outcome=Outcome.SUPPRESSED)
    assert desk.exec(select(Subscriber)).all() == []
    if on:
        assert sign_up(desk, now, list="alerts").outcome is Outcome.ASKED


def test_a_sign_up_that_cannot_be_kept_is_refused_whole(desk: Session, now: datetime) -> None:
    for error, more in (
        (BadAddress, {"email": "ada@example.com\r\nBcc: x@example.com"}),
        (BadValue, {"name": "A\0da"}),
        (BadValue, {"topics": ["a\nb"]}),
        (NotFound, {"list": "weakly"}),
        (Refused, {"form": Form(shown=" ")}),
    ):
        with pytest.raises(error):
            sign_up(desk, now, **more)
    assert desk.exec(select(Subscriber)).all() == []
