"""Lanes under a whole send: what is slow keeps its limits, and holds up nobody else."""

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, update

from newsletter import db
from newsletter.delivery import controls, lanes, ledger, pacing, sending
from newsletter.delivery.journal import Journal
from newsletter.delivery.models import Stop
from newsletter.delivery.pacing import BURST
from newsletter.delivery.replies import Kind, Outcome
from newsletter.delivery.results import MAY_HAVE_IT, RESENT
from newsletter.delivery.sending import Order
from newsletter.delivery.shares import Share
from newsletter.delivery.tables import DELIVERY, SUBSCRIBER
from newsletter.issues.models import IssueState
from newsletter.transport import Lane, Relay
from tests.delivery.room import Room, everyone, with_relays
from tests.support.smtp import DROP

SLOW = "slow.example"


def spread(room: Room, count: int, *, every: int = 2) -> list[str]:
    """Make so many readers, each second of them, or so, at the slow domain; return those."""
    room.make(count)
    return room.move(SLOW, range(1, count + 1, every))


def moments(monkeypatch: pytest.MonkeyPatch, pace: type[pacing.Rate | pacing.Window]) -> list[float]:
    """Return when messages leave, by the sender's own clock: a server that is late sees them nearer to one another."""
    seen: list[float] = []
    took = pace.took

    def take(self: Any, now: float) -> None:
        seen.append(time.monotonic())
        took(self, now)

    monkeypatch.setattr(pace, "took", take)
    return seen


def is_slow(address: str) -> bool:
    return address.endswith(SLOW)


class Open:
    """Counts the transactions to the slow domain that are open at once, and to all others."""

    def __init__(self, room: Room) -> None:
        self.now: set[str] = set()
        self.most = 0
        self.most_of_others = 0
        room.server.rcpt, room.server.data = self.begin, self.end

    def begin(self, address: str) -> None:
        self.now.add(address)
        slow = sum(map(is_slow, self.now))
        self.most, self.most_of_others = max(self.most, slow), max(self.most_of_others, len(self.now) - slow)

    def end(self, address: str) -> None:
        self.now.discard(address)


@pytest.mark.parametrize("limit", [1, 2])
def test_a_domain_has_as_many_messages_under_way_as_its_lane_allows(room: Room, limit: int) -> None:
    spread(room, 120)
    room.relay(connections=6, domains={SLOW: Lane(connections=limit)})
    seen = Open(room)
    status = room.send()
    assert (status.state, status.sent) == (IssueState.SENT, 120)
    assert len(set(room.server.recipients)) == len(room.server.recipients) == 120
    assert seen.most == limit
    assert seen.most_of_others > 2


def test_many_who_wait_for_a_slow_lane_hold_up_nobody(room: Room) -> None:
    spread(room, 60, every=10)
    room.relay(connections=4, domains={SLOW: Lane(rate=2)})  # the last leaves after 2.5 s, however slow the machine is
    begun = time.monotonic()
    assert room.send().sent == 60
    assert time.monotonic() - begun < 5
    others = [place for place, address in enumerate(room.server.recipients) if not is_slow(address)]
    assert others[-1] < 58


@pytest.mark.parametrize("of", ["relay", "domain"])
def test_messages_leave_at_the_rate_that_is_allowed(room: Room, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = spread(room, 40)
    room.relay(connections=4, **({"rate": 50} if of == "relay" else {"domains": {SLOW: Lane(rate=50)}}))
    times = moments(monkeypatch, pacing.Rate)
    assert room.send().sent == 40
    count = 40 if of == "relay" else len(slow)
    assert len(times) == count
    burst = 50 * BURST
    assert (count - 1 - burst) / 50 <= times[-1] - times[0] < (count - 1) / 50 * 2 + 0.5


def test_no_more_messages_leave_within_a_window_than_it_allows(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.make(30)
    room.relay(connections=4, window="12/1s")
    times = moments(monkeypatch, pacing.Window)
    assert room.send().sent == len(times) == 30
    assert all(later - first > 0.999 for first, later in zip(times, times[12:], strict=False))
    assert times[-1] - times[0] < 4


def test_a_window_is_kept_over_a_restart(room: Room) -> None:
    room.make(20)
    room.relay(window="10/1h")
    assert room.send(share=Share(limit=10)).sent == 10
    room.clock.tick(seconds=3599.4)
    begun = time.monotonic()
    first: list[float] = []
    room.server.rcpt = lambda _address: first.append(time.monotonic())
    assert room.send(share=Share(rest=True)).sent == 20
    assert first[0] - begun > 0.5


def test_a_window_knows_what_a_sender_that_died_had_sent(room: Room) -> None:
    spread(room, 8, every=1)
    room.relay(domains={SLOW: Lane(window="3/1h")})
    sending.plan(room.engine, room.settings, room.issue, Order(lists=["weekly"]), actor="mara", now=room.clock())
    with db.transaction(room.engine) as session:
        dead = ledger.take(session, room.issue, worker=ledger.worker_of(4999999), now=room.clock())
        batch = ledger.claim(session, dead, batch=100, now=room.clock())
    assert batch
    book = Journal(room.settings.path("journal"), room.issue, fence=dead.fence, batch=batch.id)
    for reader in batch.readers[:3]:
        book.began(reader.delivery_id)
        book.done(reader.delivery_id, Outcome(Kind.SENT, 250, "2.0.0 ok"), "main")
    book.close()
    status = room.send()
    assert (status.sent, status.deferred, room.server.recipients) == (3, 5, [])


@pytest.mark.parametrize("name", ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"])
def test_the_lane_of_a_domain_beyond_ascii_is_one_however_it_is_spelled(room: Room, name: str) -> None:
    room.make(6)
    room.move("Bücher.example", [1, 2, 3])
    room.move("xn--bcher-kva.example", [4, 5, 6])
    with db.transaction(room.engine) as session:
        key = func.replace(SUBSCRIBER.c.email, "Bücher.example", "xn--bcher-kva.example")
        session.execute(update(SUBSCRIBER).values(email_key=key))
    relay = Relay.model_validate({**room.settings.relay[0].model_dump(), "domains": {name: {"window": "2/1h"}}})
    room.settings = with_relays(room.settings, relay)
    status = room.send()
    assert (status.sent, status.deferred) == (2, 4)
    assert {each.reason for each in room.who("deferred")} == {"slow: xn--bcher-kva.example"}
    room.clock.tick(minutes=30)
    with db.transaction(room.engine) as session:
        session.execute(update(DELIVERY).where(DELIVERY.c.state == "deferred").values(due_at=room.clock()))
    assert room.send().sent == 2, "the window knows what the run before sent"
    assert len(room.server.recipients) == 2


def test_a_domain_that_puts_everybody_off_is_left_alone_and_the_others_are_sent(room: Room) -> None:
    spread(room, 120)
    room.relay(connections=4)
    room.sending(batch=30)
    room.server.rcpt = lambda address: "451 4.7.1 too much mail from you" if is_slow(address) else None
    status = room.send()
    assert (status.state, status.stop, status.sent, status.deferred) == (IssueState.PAUSED, Stop.WAITING, 60, 60)
    assert sorted(room.server.recipients) == sorted(everyone(120)[1::2])
    back = [each for each in room.who("deferred") if each.reason == f"slow: {SLOW}"]
    tried = [each for each in room.who("deferred") if each.reason == "transient"]
    assert lanes.PAUSE_AFTER <= len(tried) <= lanes.PAUSE_AFTER + 4 * 2
    assert len(back) == 60 - len(tried)
    assert ({each.attempts for each in back}, {each.attempts for each in tried}) == ({0}, {1})
    soonest = room.clock() + timedelta(seconds=lanes.PAUSE - 10)
    assert all(each.due_at and soonest < each.due_at <= room.clock() + timedelta(seconds=lanes.PAUSE) for each in back)
    room.server.rcpt = lambda _address: None
    room.clock.tick(seconds=lanes.PAUSE)
    assert room.send().sent == 120 - len(tried)
    room.clock.tick(minutes=5)
    assert room.send().state is IssueState.SENT
    assert len(set(room.server.recipients)) == len(room.server.recipients) == 120


def test_a_domain_for_which_the_relay_hangs_up_costs_the_others_nothing(room: Room) -> None:
    spread(room, 60, every=5)
    room.relay(connections=3)
    room.server.rcpt = lambda address: "421 4.7.0 not now" if is_slow(address) else None
    status = room.send()
    assert (status.state, status.sent, status.deferred, status.relays) == (IssueState.PAUSED, 48, 12, {})
    assert len(room.server.recipients) == len(set(room.server.recipients))
    room.server.rcpt = lambda _address: None
    room.clock.tick(minutes=5)
    assert room.send().state is IssueState.SENT
    assert len(set(room.server.recipients)) == len(room.server.recipients) == 60


def in_doubt_behind_a_slow_lane(room: Room) -> None:
    """Let the relay hang up with the whole message of the one reader, whose next turn is in an hour."""
    room.make(1)
    room.move(SLOW, [1])
    room.relay(domains={SLOW: Lane(window="1/1h")})
    room.server.data = lambda _address: DROP
    assert room.send().deferred == 1
    room.server.data = lambda _address: None


def test_a_slow_lane_remembers_who_may_have_a_copy(room: Room) -> None:
    in_doubt_behind_a_slow_lane(room)
    (waits,) = room.who("deferred")
    assert (waits.reason, waits.reply, waits.attempts) == (RESENT, f"slow: {SLOW}", 1)
    room.clock.tick(minutes=61)
    assert room.send().resent == 1
    assert len(room.server.seen) == 2


def test_who_waits_for_a_slow_lane_and_may_have_a_copy_keeps_that_when_the_issue_is_cancelled(room: Room) -> None:
    in_doubt_behind_a_slow_lane(room)
    assert controls.cancel(room.engine, room.settings, room.issue, actor="jonas", now=room.clock())
    (skipped,) = room.who("skipped")
    assert skipped.reason == f"{controls.CANCELLED}{MAY_HAVE_IT}"
