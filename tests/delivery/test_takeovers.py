"""Two senders, dead senders, sleeping senders: only one of them sends and writes."""

import os
import signal
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter import audit, db
from newsletter.delivery import dispatch, ledger, run, sending
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.errors import Refused
from newsletter.issues.models import IssueState
from tests.delivery.desk import email
from tests.delivery.room import Room, everyone


def test_two_senders_at_once_one_of_them_refuses(room: Room) -> None:
    room.make(6)
    refusals: list[str] = []

    def other(address: str) -> None:
        if address == email(3):
            with pytest.raises(
                Refused, match=r"issue 1 is being sent by \S+:\d+; watch it: newsletter status 1"
            ) as refusal:
                room.send()
            refusals.append(str(refusal.value))

    room.server.data = other
    assert room.send().sent == 6
    assert len(refusals) == 1
    assert room.server.recipients == everyone(6)


def test_a_sender_that_was_taken_over_sends_and_writes_nothing_more(room: Room) -> None:
    """It slept past its lease, and another took the issue: the zombie must find out before its next message."""
    room.make(10)
    taken: list[ledger.Hold] = []

    def take_over(address: str) -> None:
        if address == email(4):
            with db.transaction(room.engine) as session:
                late = room.clock() + timedelta(seconds=61)
                taken.append(ledger.take(session, room.issue, worker="elsewhere:1", now=late))
            time.sleep(dispatch.FRESH)

    room.server.data = take_over
    with pytest.raises(Refused, match="another sender has taken issue 1 over"):
        room.send()
    assert room.server.recipients == everyone(4)
    status = room.status()
    assert (status.sent, status.sending, status.worker) == (0, 10, "elsewhere:1")
    assert status.state is IssueState.SENDING
    with db.transaction(room.engine) as session:
        ledger.release(session, taken[0])
    status = room.send()
    assert (status.state, status.sent, status.resent) == (IssueState.SENT, 10, 0)  # the zombie's journal told the rest
    with db.reading(room.engine) as session:
        assert set(session.scalars(select(DELIVERY.c.relay))) == {"main"}
    assert sorted(room.server.recipients) == sorted(everyone(10))


def test_a_sender_taken_over_between_its_last_question_and_the_text_does_not_begin_it(room: Room) -> None:
    room.make(6)
    taken: list[ledger.Hold] = []

    def take_over(address: str) -> None:
        if address == email(4) and not taken:
            room.clock.tick(seconds=61)
            with db.transaction(room.engine) as session:
                taken.append(ledger.take(session, room.issue, worker="elsewhere:1", now=room.clock()))

    room.server.rcpt = take_over
    with pytest.raises(Refused, match="another sender has taken issue 1 over"):
        room.send()
    assert room.server.recipients == everyone(3)
    with db.transaction(room.engine) as session:
        ledger.release(session, taken[0])
    assert room.send().state is IssueState.SENT
    assert sorted(each.recipient for each in room.server.seen) == everyone(6)


def test_a_sender_on_a_lost_machine_leaves_its_open_batch_in_doubt(room: Room) -> None:
    room.make(10)
    room.sending(batch=4)
    room.server.data = lambda address: "450 4.3.0 no" if address == email(6) else None
    sending.plan(room.engine, room.settings, room.issue, Order(lists=["weekly"]), actor="mara", now=room.clock())
    with db.transaction(room.engine) as session:
        hold = ledger.take(session, room.issue, worker="elsewhere:1", now=room.clock())
        assert ledger.claim(session, hold, batch=4, now=room.clock())
    with pytest.raises(Refused, match=r"is being sent by elsewhere:1.*run this again after 09:01:00 UTC"):
        room.send()
    room.clock.tick(seconds=60)
    room.server.data = lambda _address: None
    status = room.send()
    assert (status.state, status.sent, status.resent) == (IssueState.SENT, 10, 4)
    with db.reading(room.engine) as session:
        entry = next(each for each in audit.entries(session, "issue", room.issue) if each.action == "recovered")
        assert entry.detail == {"recorded": 0, "in_flight": 4, "untouched": 0}


def test_an_interruption_finishes_the_message_in_flight_and_the_same_call_goes_on(room: Room) -> None:
    room.make(12)
    room.sending(batch=5)
    room.server.data = lambda address: os.kill(os.getpid(), signal.SIGINT) if address == email(7) else None
    before = signal.getsignal(signal.SIGINT)
    status = room.send()
    assert signal.getsignal(signal.SIGINT) is before
    assert (status.state, status.sent + status.pending, status.sending) == (IssueState.PAUSED, 12, 0)
    assert 7 <= status.sent <= 9  # a signal takes its way
    assert "stopped" in status.note
    room.server.data = lambda _address: None
    assert room.send().state is IssueState.SENT
    assert sorted(room.server.recipients) == sorted(everyone(12))


def test_the_lease_is_renewed_while_a_relay_takes_its_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEARTBEAT", 0.02)
    room.make(1)
    renewed = threading.Event()

    def slow(_address: str) -> None:
        room.clock.tick(seconds=50)
        until = room.clock() + ledger.LEASE
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            with db.reading(room.engine) as session:
                if session.execute(select(AUDIENCE.c.lease_until)).scalar() == until:
                    renewed.set()
                    return

    room.server.data = slow
    room.send()
    assert renewed.is_set()
