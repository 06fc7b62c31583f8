"""A send that stays: whom a relay puts off gets it within the same run, or has failed when their time is over."""

import os
import signal
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import select

from newsletter import db
from newsletter.delivery import sending
from newsletter.delivery.models import Stop
from newsletter.delivery.report import Status
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import DELIVERY
from newsletter.errors import RelayError
from newsletter.issues.models import IssueState
from tests.delivery.desk import KEYRING, email
from tests.delivery.room import Room, everyone

#: Minutes between attempts.
SOON = 0.006


def send(room: Room) -> Status:
    """Send by the real clock, and stay."""
    return sending.send(room.engine, room.settings, room.issue, Order(lists=["weekly"], wait=True), keyring=KEYRING)


class Greylist:
    """Puts each of some readers off so many times."""

    def __init__(self, room: Room, readers: list[str], *, times: int) -> None:
        self.asked: Counter[str] = Counter()
        self.readers, self.times = set(readers), times
        room.server.rcpt = self

    def __call__(self, address: str) -> str | None:
        self.asked[address] += 1
        return "450 4.7.1 greylisted" if address in self.readers and self.asked[address] <= self.times else None


@pytest.mark.parametrize("connections", [1, 8])
def test_greylisted_readers_get_it_within_the_run(room: Room, connections: int) -> None:
    room.make(40)
    room.relay(connections=connections)
    room.sending(retry=(SOON,), batch=10)
    greylist = Greylist(room, everyone(40)[::2], times=2)
    begun = time.monotonic()
    status = send(room)
    assert (status.state, status.sent) == (IssueState.SENT, 40)
    assert time.monotonic() - begun >= 2 * SOON * 60
    assert sorted(room.server.recipients) == sorted(everyone(40))
    assert Counter(greylist.asked.values()) == {1: 20, 3: 20}
    assert {each.email: each.attempts for each in room.who("sent")} == greylist.asked


def test_who_is_put_off_to_the_end_has_failed_as_expired(room: Room) -> None:
    room.make(10)
    room.sending(retry=(SOON,), deadline=1.5 * SOON / 60)
    Greylist(room, [email(3)], times=100)
    status = send(room)
    assert (status.state, status.sent, status.failed) == (IssueState.SENT, 9, 1)
    (failed,) = room.who("failed")
    assert (failed.email, failed.reason, failed.reply, failed.attempts) == (
        email(3), "expired", "450 4.7.1 greylisted", 3,
    )  # fmt: skip


def test_the_ledger_adds_up_what_the_schedule_had_a_reader_wait_for_each_fault(room: Room) -> None:
    room.make(1)
    room.sending(retry=(10,), retry_full=(60,), deadline=1)
    replies = iter(["450 4.7.1 greylisted"] * 5 + ["452 4.2.2 no room"] * 2)
    room.server.rcpt = lambda _address: next(replies)
    for wait in [10] * 5 + [60]:
        assert room.send().deferred == 1
        room.clock.tick(minutes=wait)
    status = room.send()
    assert (status.state, status.failed) == (IssueState.SENT, 1)
    (failed,) = room.who("failed")
    assert (failed.reason, failed.attempts) == ("expired", 7)
    with db.reading(room.engine) as session:
        assert session.scalar(select(DELIVERY.c.waited)) == 110 * 60


def test_a_send_that_waits_can_be_interrupted(room: Room) -> None:
    room.make(6)
    room.sending(retry=(60,))
    Greylist(room, [email(2)], times=1)
    ended: list[float] = []

    def beside() -> None:
        while len(room.server.accepted) < 5:
            time.sleep(0.01)
        time.sleep(0.3)
        ended.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=beside)
    thread.start()
    status = send(room)
    assert time.monotonic() - ended[0] < 1
    thread.join()
    assert (status.state, status.stop, status.sent, status.deferred) == (IssueState.PAUSED, Stop.INTERRUPTED, 5, 1)


def test_a_relay_that_refuses_ends_the_wait(room: Room) -> None:
    room.make(6)
    room.sending(retry=(SOON,))
    Greylist(room, [email(2)], times=1)
    room.server.mail = lambda _address: "451 4.3.2 no disk" if len(room.server.accepted) == 5 else None
    with pytest.raises(RelayError, match="no disk"):
        send(room)
    status = room.status()
    assert (status.state, status.stop, status.sent, status.waiting) == (IssueState.PAUSED, Stop.RELAY, 5, 1)
