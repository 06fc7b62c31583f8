"""Whatever stops a send in the middle leaves it in good order: who has it has it, and nobody else is charged."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import controls, run
from newsletter.delivery.breaker import DEAD_IN_A_ROW
from newsletter.delivery.interruption import Interruption
from newsletter.delivery.models import Stop
from newsletter.delivery.report import Status
from newsletter.delivery.results import RESENT
from newsletter.errors import RelayError
from newsletter.feedback import persons
from newsletter.issues.models import IssueState
from subscribers import profiles, suppressions
from subscribers.joining import Entry, Terms, enter
from subscribers.models import SuppressionReason
from tests.delivery.desk import KEYRING, email
from tests.delivery.room import Room, add_relay, everyone
from tests.support.smtp import serving

BLOCKED = "550 5.7.1 blocked by policy"
NOBODY = "550 5.1.1 no such user"


def whole(room: Room, count: int) -> None:
    """Let the same command end what was stopped; everybody has exactly one copy."""
    room.server.mail = room.server.rcpt = room.server.data = lambda _address: None
    status = room.send()
    assert (status.state, status.sent) == (IssueState.SENT, count)
    assert sorted(room.server.recipients) == sorted(everyone(count))


def suppressed(room: Room) -> set[str]:
    with db.reading(room.engine) as session:
        return {each.email for each in suppressions.all(session)}


# -- what the breaker sees


@pytest.mark.parametrize("connections", [1, 6])
def test_a_reader_whom_the_relay_refuses_by_policy_keeps_nobody_else_from_it(room: Room, connections: int) -> None:
    room.make(40)
    room.relay(connections=connections)
    asked: Counter[str] = Counter()

    def rcpt(address: str) -> str | None:
        asked[address] += 1
        return BLOCKED if address == email(7) else None

    room.server.rcpt = rcpt
    status = room.send()
    assert (status.state, status.stop, status.sent, status.deferred) == (IssueState.PAUSED, Stop.WAITING, 39, 1)
    assert (asked[email(7)], status.relays) == (1, {})
    (left,) = room.who("deferred")
    assert (left.email, left.reason, left.reply, left.attempts) == (email(7), "policy", BLOCKED, 1)
    assert suppressed(room) == set()
    room.clock.tick(minutes=5)
    whole(room, 40)


@pytest.mark.parametrize("strict", [{3}, {1, 3, 5, 7}])
def test_mailboxes_that_will_not_have_us_keep_no_issue_open_and_nobody_from_their_retry(
    room: Room, strict: set[int]
) -> None:
    room.make(8)
    room.sending(retry=(30,), deadline=1)
    says = {email(number): BLOCKED for number in strict} | {email(8): "450 4.3.2 busy"}
    room.server.rcpt = says.get
    assert room.send().sent == 7 - len(strict)
    del says[email(8)]
    told = []
    while room.status().state is IssueState.PAUSED:
        room.clock.tick(minutes=30)
        status = room.send()
        told.append((status.sent, status.deferred, status.failed, status.relays))
    late = 8 - len(strict)
    assert told == [(late, len(strict), 0, {}), (late, 0, len(strict), {})]
    assert {(each.email, each.reason) for each in room.who("failed")} == {(email(each), "expired") for each in strict}
    assert suppressed(room) == set()


@pytest.mark.parametrize("batch", [1, 100])
def test_three_readers_in_a_row_refused_by_policy_go_by_another_relay(room: Room, batch: int) -> None:
    room.make(20)
    room.sending(batch=batch)
    room.server.rcpt = lambda address: BLOCKED if len(room.server.accepted) >= 4 else None
    with serving() as other:
        add_relay(room, other.port, order=2)
        status = room.send()
        assert sorted(room.server.recipients + other.recipients) == sorted(everyone(20))
    assert (status.state, status.sent, list(status.relays)) == (IssueState.SENT, 20, ["main"])
    assert "main refused 3 readers in a row" in status.relays["main"]
    assert {each.attempts for each in room.who("sent")} == {1}


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_relay_that_refuses_three_readers_in_a_row_costs_none_of_them_anything(room: Room, batch: int) -> None:
    room.make(9)
    room.sending(batch=batch)
    room.server.rcpt = lambda _address: BLOCKED
    for _ in range(2):
        with pytest.raises(RelayError, match="refused 3 readers in a row for reasons of its own .*blocked by policy"):
            room.send()
        status = room.status()
        assert (status.state, status.stop, status.pending) == (IssueState.PAUSED, Stop.RELAY, 9)
        assert {each.attempts for each in room.who("pending")} == {0}
    whole(room, 9)


def test_content_refused_over_ten_connections_fails_nobody(room: Room) -> None:
    room.make(60)
    room.sending(batch=5)
    room.relay(connections=10)
    room.server.data = lambda _address: "554 5.6.0 we do not like it"
    with pytest.raises(RelayError, match="refused 3 times in a row"):
        room.send()
    status = room.status()
    assert (status.state, status.stop, status.failed) == (IssueState.PAUSED, Stop.BREAKER, 0)
    assert status.pending == 60
    assert 3 <= len(room.server.seen) <= 3 + 2 * 9
    whole(room, 60)


@pytest.mark.parametrize("batch", [3, 100])
@pytest.mark.parametrize("connections", [1, 10])
def test_a_relay_that_knows_nobody_any_more_kills_nobody(room: Room, batch: int, connections: int) -> None:
    room.make(60)
    room.sending(batch=batch, hard_failures=0)
    room.relay(connections=connections)
    room.server.rcpt = lambda _address: NOBODY
    with pytest.raises(RelayError, match=f"of {DEAD_IN_A_ROW} addresses in a row that there is nobody there"):
        room.send()
    status = room.status()
    assert (status.state, status.stop) == (IssueState.PAUSED, Stop.BREAKER)
    assert (status.failed, status.pending) == (0, 60)
    assert suppressed(room) == set()
    whole(room, 60)


def test_dead_addresses_among_full_mailboxes_are_just_dead(room: Room) -> None:
    room.make(60)
    dead = set(everyone(60)[::5])
    room.server.rcpt = lambda address: NOBODY if address in dead else "552 5.2.2 over quota"
    status = room.send()
    assert (status.state, status.reasons["failed"]) == (IssueState.SENT, {"address": 12, "mailbox_full": 48})
    assert suppressed(room) == dead


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody says of reader 1 while a send is under way."""

    reason: SuppressionReason
    source: str = "asked by jonas"
    on: str = ""

    def write(self, session: Session, room: Room) -> None:
        made = suppressions.add(
            session, email(1), reason=self.reason, source=self.source, list=self.on, now=room.clock()
        )
        assert made


def imported(session: Session, room: Room) -> None:
    person = profiles.check(email(1))
    entry = Entry(person, None, bars={None: SuppressionReason.COMPLAINT})
    enter(session, [entry], Terms(method="import", basis=""), keyring=KEYRING, now=room.clock())


@pytest.mark.parametrize("batch", [3, 100])
@pytest.mark.parametrize(
    ("say", "stands"),
    [
        (Said(reason=SuppressionReason.MANUAL).write, ("manual", "")),
        (Said(reason=SuppressionReason.COMPLAINT).write, ("complaint", "")),
        (Said(reason=SuppressionReason.HARD_BOUNCE, source="token bounces").write, ("hard_bounce", "")),
        (Said(reason=SuppressionReason.COMPLAINT, on="weekly").write, ("complaint", "weekly")),
        (imported, ("complaint", "")),
    ],
)  # fmt: skip
def test_what_somebody_says_of_an_address_meanwhile_outlives_the_breaker(
    room: Room, batch: int, say: Callable[[Session, Room], None], stands: tuple[str, str]
) -> None:
    room.make(20)
    room.sending(batch=batch)

    def rcpt(address: str) -> str:
        if address == email(DEAD_IN_A_ROW):
            with db.transaction(room.engine) as session:
                say(session, room)
        return NOBODY

    room.server.rcpt = rcpt
    with pytest.raises(RelayError, match="that there is nobody there"):
        room.send()
    with db.reading(room.engine) as session:
        assert [(each.email, each.reason, each.list) for each in suppressions.all(session)] == [(email(1), *stands)]
    room.server.rcpt = lambda _address: None
    status = room.send()
    assert (status.state, status.sent, status.skipped) == (IssueState.SENT, 19, 1)
    assert sorted(room.server.recipients) == sorted(everyone(20)[1:])
    assert status.reasons["skipped"] == {f"suppressed: {stands[0]}": 1}


def test_who_is_erased_meanwhile_stays_erased_when_the_breaker_takes_back(room: Room) -> None:
    room.make(20)
    room.sending(batch=3)

    def rcpt(address: str) -> str:
        if address == email(DEAD_IN_A_ROW):
            while email(1) not in suppressed(room):
                time.sleep(0.01)
            with db.transaction(room.engine) as session:
                persons.erase(session, email(1), keyring=KEYRING, now=room.clock())
        return NOBODY

    room.server.rcpt = rcpt
    with pytest.raises(RelayError, match="that there is nobody there"):
        room.send()
    room.server.rcpt = lambda _address: None
    assert (room.send().sent, suppressed(room)) == (19, set())
    assert email(1) not in room.server.recipients


def test_too_many_dead_addresses_stop_the_issue_and_stay_dead(room: Room) -> None:
    room.make(200)
    dead = set(everyone(200)[::12])
    room.server.rcpt = lambda address: NOBODY if address in dead else None
    with pytest.raises(RelayError, match=r"addresses are dead, more than the 5\.0%"):
        room.send()
    status = room.status()
    assert (status.state, status.stop) == (IssueState.PAUSED, Stop.BREAKER)
    assert status.failed >= 5
    assert status.pending == 200 - status.sent - status.failed > 0
    assert suppressed(room) == {each.email for each in room.who("failed")} <= dead


def test_readers_who_call_it_spam_stop_it_for_the_others(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEARING", 0.05)
    room.make(100)
    room.sending(batch=10)

    def complain(address: str) -> None:
        time.sleep(0.01)
        if address == email(20):
            with db.transaction(room.engine) as session:
                for number in (2, 3, 4):
                    suppressions.add(
                        session, email(number), reason=SuppressionReason.COMPLAINT, source="x", now=room.clock()
                    )

    room.server.data = complain
    with pytest.raises(RelayError, match=r"3 of \d+ readers who have the issue call it spam"):
        room.send()
    status = room.status()
    assert (status.state, status.stop, status.failed) == (IssueState.PAUSED, Stop.BREAKER, 0)
    assert 20 <= status.sent == len(room.server.accepted) < 100


# -- what a person asks


def while_it_runs(room: Room, act: Callable[[], object]) -> tuple[Status, float]:
    """Act from beside a sender of ten connections; return what the send came to, and how long that took after."""
    room.make(400)
    room.relay(connections=10)
    room.server.data = lambda _address: time.sleep(0.004)
    done: list[float] = []

    def beside() -> None:
        while len(room.server.accepted) < 40:
            time.sleep(0.002)
        act()
        done.append(time.monotonic())

    thread = threading.Thread(target=beside)
    thread.start()
    status = room.send()
    thread.join()
    return status, time.monotonic() - done[0]


def test_a_pause_takes_a_second_at_most_and_loses_nobody(room: Room) -> None:
    def pause() -> None:
        with db.transaction(room.engine) as session:
            controls.pause(session, room.issue, actor="jonas", now=room.clock())

    status, seconds = while_it_runs(room, pause)
    assert seconds < 1
    assert (status.state, status.stop, status.sending) == (IssueState.PAUSED, Stop.ASKED, 0)
    assert 40 <= status.sent == len(room.server.accepted) == 400 - status.pending < 400
    with db.transaction(room.engine) as session:
        assert controls.resume(session, room.issue, actor="jonas", now=room.clock())
    whole(room, 400)


def test_a_cancelled_issue_accounts_for_everybody(room: Room) -> None:
    status, seconds = while_it_runs(
        room, lambda: controls.cancel(room.engine, room.settings, room.issue, actor="jonas", now=room.clock())
    )
    assert seconds < 1
    assert (status.state, status.waiting, status.failed, status.unknown) == (IssueState.CANCELLED, 0, 0, 0)
    assert 40 <= status.sent == len(room.server.accepted) < 400
    assert status.sent + status.skipped == 400
    assert status.reasons == {"skipped": {"cancelled": status.skipped}}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_send_of_ten_connections_in_good_order(room: Room, number: int) -> None:
    status, seconds = while_it_runs(room, lambda: os.kill(os.getpid(), number))
    assert seconds < 1
    assert (status.state, status.stop, status.sending) == (IssueState.PAUSED, Stop.INTERRUPTED, 0)
    assert 40 <= status.sent == len(room.server.accepted) == 400 - status.pending < 400
    whole(room, 400)


@pytest.mark.parametrize("hold", [False, True])
def test_a_second_signal_ends_it_now_and_what_was_in_flight_is_told(
    room: Room, hold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.make(30)
    room.relay(connections=3)
    room.sending(on_unknown="hold" if hold else "resend")

    heard, over = threading.Event(), threading.Event()
    ask, struck = Interruption.ask, []

    def hear(self: Interruption, number: int) -> None:
        ask(self, number)
        heard.set()

    def interrupt(_address: str) -> None:
        if len(room.server.accepted) == 8:
            os.kill(os.getpid(), signal.SIGINT)
            assert heard.wait(30)
            os.kill(os.getpid(), signal.SIGINT)
            struck.append(time.monotonic())
            over.wait(30)  # who waits for this reply does not end now

    monkeypatch.setattr(Interruption, "ask", hear)
    room.server.data = interrupt
    with pytest.raises(KeyboardInterrupt):
        room.send()
    assert time.monotonic() - struck[0] < 2
    over.set()
    status = room.status()
    assert (status.state, status.stop, status.sending, status.worker) == (IssueState.PAUSED, Stop.INTERRUPTED, 0, "")
    doubtful = {each.email for each in room.who("unknown" if hold else "pending") if hold or each.reason == RESENT}
    assert 1 <= len(doubtful) <= 3
    room.server.data = lambda _address: None
    status = room.send()
    assert (status.state, status.sent + status.unknown) == (IssueState.SENT, 30)
    copies = Counter(room.server.recipients)
    assert {each for each, count in copies.items() if count > 1} <= doubtful
    assert set(everyone(30)) - set(copies) <= (doubtful if hold else set())
    assert len({each.message_id for each in room.server.accepted}) == len(copies)
