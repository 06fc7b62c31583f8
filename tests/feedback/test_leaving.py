"""Leaving lists and coming back, as rows."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from newsletter import db
from newsletter.feedback import events, leaving
from newsletter.feedback.events import EventView
from newsletter.feedback.leaving import Word
from newsletter.feedback.models import EventKind
from subscribers import lists, subscribers, subscriptions
from subscribers.models import Consent, ConsentEvent, Subscription, SubscriptionState
from tests.support.keys import KEYRING


@pytest.fixture
def word(now: datetime) -> Word:
    return {"method": "page", "now": now, "ip": "192.0.2.7", "user_agent": "Reader/1"}


@pytest.fixture
def ana(engine: Engine, now: datetime) -> int:
    with db.transaction(engine) as session:
        for name in ("weekly", "monthly"):
            lists.create(session, name, now=now)
        return subscribers.add(session, "ana@quay.example", lists=["weekly", "monthly"], keyring=KEYRING, now=now).id


def states(session: Session, reader: int) -> dict[int, str]:
    return {each.list_id: each.state for each in subscriptions.of(session, reader)}


def test_leaving_is_one_fact_however_often_it_is_said(engine: Engine, ana: int, word: Word) -> None:
    with db.transaction(engine) as session:
        said = [leaving.leave(session, subscriber_id=ana, list_id=1, **word) for _ in range(3)]
    with db.reading(engine) as session:
        left = events.of(session, ana)
        withdrawn = session.exec(select(Consent).where(Consent.event == ConsentEvent.WITHDRAWN)).all()
        assert [(row.method, row.ip, row.user_agent, row.at) for row in withdrawn] == [
            ("page", "192.0.2.7", "Reader/1", word["now"])
        ]
        assert states(session, ana) == {1: "unsubscribed", 2: "confirmed"}
    assert said == [True, False, False]
    assert left == [
        EventView(
            kind=EventKind.UNSUBSCRIBED, at=word["now"], subscriber_id=ana, list_id=1, detail={"method": "page"}
        )
    ]  # fmt: skip


def test_leaving_a_list_never_joined_is_no_fact(engine: Engine, ana: int, word: Word) -> None:
    with db.transaction(engine) as session:
        assert not leaving.leave(session, subscriber_id=ana, list_id=99, **word)
        assert not leaving.leave(session, subscriber_id=ana + 99, list_id=1, **word)
        assert leaving.leave_all(session, subscriber_id=ana + 99, **word) == 0
        assert events.of(session, ana) == []


def test_undoing_a_leave_all_brings_back_what_it_took_and_nothing_else(engine: Engine, ana: int, word: Word) -> None:
    later: Word = {**word, "now": word["now"] + timedelta(days=1)}
    with db.transaction(engine) as session:
        leaving.leave(session, subscriber_id=ana, list_id=2, **word)
        assert leaving.leave_all(session, subscriber_id=ana, **later) == 1
        assert leaving.come_back_to_all(session, subscriber_id=ana, **later) == 1
        assert states(session, ana) == {1: "confirmed", 2: "unsubscribed"}
        assert leaving.come_back_to_all(session, subscriber_id=ana, **later) == 0


def test_undoing_goes_back_one_step_only(engine: Engine, ana: int, word: Word) -> None:
    later: Word = {**word, "now": word["now"] + timedelta(days=1)}
    with db.transaction(engine) as session:
        assert leaving.leave_all(session, subscriber_id=ana, **word) == 2
        assert leaving.come_back(session, subscriber_id=ana, list_id=1, **word)
        assert leaving.leave_all(session, subscriber_id=ana, **later) == 1
        assert leaving.come_back_to_all(session, subscriber_id=ana, **later) == 1
        assert states(session, ana) == {1: "confirmed", 2: "unsubscribed"}


def test_undoing_never_confirms_what_waited_for_confirmation(engine: Engine, ana: int, word: Word) -> None:
    with db.transaction(engine) as session:
        row = session.exec(select(Subscription).where(Subscription.list_id == 2)).one()
        row.state = SubscriptionState.PENDING
        session.add(row)
    with db.transaction(engine) as session:
        assert leaving.leave_all(session, subscriber_id=ana, **word) == 2
        assert leaving.come_back_to_all(session, subscriber_id=ana, **word) == 1
        assert states(session, ana) == {1: "confirmed", 2: "unsubscribed"}


def test_a_fact_keeps_what_it_was_told(engine: Engine, ana: int, now: datetime) -> None:
    with db.transaction(engine) as session:
        events.record(session, EventKind.BOUNCED, subscriber_id=ana, detail={"status": "5.1.1"}, now=now)
        events.record(session, EventKind.AUTO_REPLIED, subscriber_id=ana, list_id=1, now=now)
        events.record(session, EventKind.COMPLAINED, now=now)
        assert events.of(session, ana) == [
            EventView(kind=EventKind.BOUNCED, at=now, subscriber_id=ana, detail={"status": "5.1.1"}),
            EventView(kind=EventKind.AUTO_REPLIED, at=now, subscriber_id=ana, list_id=1),
        ]
