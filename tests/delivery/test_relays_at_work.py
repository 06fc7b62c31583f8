"""Relays at work: many connections, shares by weight, failover, and relays that rest and come back."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update

from newsletter import db
from newsletter.delivery import carriers, keys, relays, run
from newsletter.delivery.models import Stop
from newsletter.delivery.pulse import Pulse
from newsletter.delivery.relays import Trouble
from newsletter.delivery.tables import SUBSCRIBER
from newsletter.errors import RelayError
from newsletter.issues.models import IssueState
from newsletter.transport import Dkim
from tests.delivery import logbook
from tests.delivery.desk import email
from tests.delivery.room import Room, add_relay, everyone, with_relays
from tests.delivery.test_dkim import verified
from tests.support.postfix import DOMAIN, postfix
from tests.support.smtp import DROP, Server, free_port, serving, sink, speaking

#: What smtp-sink puts before a message.
_HEAD = re.compile(rb"(?ms)\AX-Client-Addr: .*?^X-Rcpt-Args: <(?P<to>[^>]*)>.*?^Received: .*?\(UTC\)\n")


@pytest.fixture
def other() -> Iterator[Server]:
    """Return a second server."""
    with serving() as server:
        yield server


def kept(folder: Path) -> list[tuple[str, bytes]]:
    """Return the messages that a sink took, each with its recipient, as they were on the wire."""
    found = []
    for path in folder.iterdir():
        data = path.read_bytes()
        head = _HEAD.match(data)
        assert head
        found.append((head["to"].decode(), data[head.end() :].replace(b"\n", b"\r\n")))
    return found


def troubles(room: Room) -> dict[str, Trouble]:
    with db.reading(room.engine) as session:
        return relays.troubles(session)


# -- many connections


def test_ten_connections_give_everyone_one_copy(room: Room) -> None:
    room.make(150)
    room.relay(connections=10)
    room.sending(batch=20)
    room.server.data = lambda _address: time.sleep(0.0005)
    status = room.send()
    assert (status.state, status.sent) == (IssueState.SENT, 150)
    assert sorted(room.server.recipients) == sorted(everyone(150))
    assert 2 <= room.server.connections <= 10


@pytest.mark.parametrize("signs", [False, True])
def test_messages_in_groups_arrive_once_and_their_signatures_verify(room: Room, tmp_path: Path, signs: bool) -> None:
    room.make(150)
    if signs:
        record = sign(room, tmp_path)
    with sink(tmp_path / "sink") as port:
        room.relay(connections=10, port=port)
        status = room.send()
        found = kept(tmp_path / "sink")
    assert (status.state, status.sent) == (IssueState.SENT, 150)
    assert sorted(to for to, _ in found) == sorted(everyone(150))
    assert {message_from_bytes(data)["To"] for _, data in found} == set(everyone(150))
    if signs:
        assert all(verified(data, (record,)) == [True] for _, data in found)


def sign(room: Room, folder: Path) -> keys.Record:
    """Let the room sign, and return what would stand in DNS."""
    domain = "news.harbour.example"
    made = keys.create(folder / "s1.pem", domain=domain, selector="s1")
    publication = room.settings.folder
    signs = Dkim(domain=domain, selector="s1", key=str(folder / "s1.pem"))
    room.settings = room.settings.model_copy(update={"dkim": signs})
    room.settings._folder = publication
    return made.record


def test_a_postfix_that_takes_chunks_gives_everyone_one_copy(room: Room, tmp_path: Path) -> None:
    room.make(60)
    readers = room.move(DOMAIN, range(1, 61))
    record = sign(room, tmp_path)
    with postfix() as server:
        room.relay(connections=3, port=server.port, in_flight=4)
        status = room.send()
        found = server.collected(60)
    assert (status.state, status.sent) == (IssueState.SENT, 60)
    assert sorted(str(message_from_bytes(data)["Delivered-To"]) for data in found) == sorted(readers)
    for data in found:
        wire = data[data.index(b"DKIM-Signature:") :].replace(b"\n", b"\r\n")
        assert verified(wire, (record,)) == [True]


def test_a_connection_carries_as_many_messages_as_its_relay_allows(room: Room) -> None:
    room.make(25)
    room.relay(messages_per_connection=4)
    assert room.send().sent == 25
    assert room.server.connections == 7
    assert room.server.recipients == everyone(25)


def test_a_relay_that_allows_fewer_connections_carries_by_those(room: Room, tmp_path: Path) -> None:
    """Postfix says 421 to a connection above smtpd_client_connection_count_limit; that is no trouble of the relay."""
    room.make(3000)
    with logbook.serving(tmp_path / "log", most=2) as book:
        room.relay(connections=10, port=book.port, rate=1500)
        status = room.send()
        copies = book.copies()
    assert (status.state, status.sent, status.relays) == (IssueState.SENT, 3000, {})
    assert sorted(to for to, _ in copies) == sorted(everyone(3000))
    assert set(copies.values()) == {1}


# -- several relays


def test_relays_carry_by_their_weights(room: Room, other: Server) -> None:
    room.make(300)
    add_relay(room, other.port, first={"connections": 3, "weight": 2}, connections=3, weight=1)
    status = room.send()
    assert status.sent == 300
    assert sorted(room.server.recipients + other.recipients) == sorted(everyone(300))
    assert 200 - 2 * carriers.SLACK <= len(room.server.accepted) <= 200 + 2 * carriers.SLACK
    with db.reading(room.engine) as session:
        assert len(relays.sent_since(session, "other", room.clock().replace(year=2000))) == len(other.accepted)


def test_a_relay_of_a_higher_order_idles_while_the_lower_carries(room: Room, other: Server) -> None:
    room.make(60)
    add_relay(room, other.port, first={"connections": 3}, connections=3, order=2)
    assert room.send().sent == 60
    assert (len(room.server.accepted), len(other.accepted)) == (60, 0)


@pytest.mark.parametrize("trouble", ["refuses", "refuses later", "is away", "hangs up"])
def test_another_relay_carries_when_the_first_is_in_trouble(room: Room, other: Server, trouble: str) -> None:
    room.make(60)
    replies = count()
    if trouble.startswith("refuses"):
        first = 20 if trouble == "refuses later" else 0
        room.server.mail = lambda _address: "550 5.7.1 your account is closed" if next(replies) >= first else None
    if trouble == "hangs up":
        room.server.rcpt = lambda _address: DROP
    port = free_port() if trouble == "is away" else room.server.port
    add_relay(room, other.port, first={"port": port, "connections": 3}, connections=3, order=2)
    told: list[Pulse] = []
    status = room.send(progress=told.append)
    assert (status.failed, status.audience) == (0, 60)
    # A lost connection costs its first reader some minutes, and no more of them than it takes to see through it.
    assert status.deferred <= (carriers.PATIENCE + 3 if trouble == "hangs up" else 0)
    assert status.sent + status.deferred == 60
    assert sorted(room.server.recipients + other.recipients) == sorted(
        each for each, (state, _) in room.states.items() if state == "sent"
    )
    words = {
        "refuses": "your account is closed", "refuses later": "your account is closed",
        "is away": "Connection refused", "hangs up": "hung up 3 times in a row",
    }[trouble]  # fmt: skip
    assert words in troubles(room)["main"].reason
    assert words in status.relays["main"]
    assert any(words in each for each in told[-1].troubles)
    assert troubles(room)["main"].temporary is (trouble in ("is away", "hangs up"))
    assert all(each.attempts == 1 for each in room.who("sent"))


# -- what a relay lacks


def international(room: Room, *numbers: int) -> list[str]:
    """Let readers have addresses that need SMTPUTF8 (RFC 6531); return those."""
    theirs = {email(number): f"jürgen{number}@example.com" for number in numbers}
    with db.transaction(room.engine) as session:
        for old, new in theirs.items():
            session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.email == old).values(email=new, email_key=new))
    return list(theirs.values())


@pytest.mark.parametrize("more", [{}, {"order": 2}, {"weight": 1000}])
def test_what_one_relay_lacks_is_carried_by_another(room: Room, more: dict[str, int]) -> None:
    room.make(40)
    theirs = international(room, 1, 2, 20, 40)
    with serving(smtputf8=True) as able:
        add_relay(room, able.port, first={"connections": 2}, **more)
        status = room.send()
        assert (status.state, status.sent, status.failed) == (IssueState.SENT, 40, 0)
        assert set(theirs) <= set(able.recipients)
        assert len(room.server.accepted) + len(able.accepted) == 40
        if "order" in more:
            assert sorted(able.recipients) == sorted(theirs)


def test_an_issue_that_is_too_big_for_one_relay_goes_by_another(room: Room, other: Server) -> None:
    room.make(30)

    def answer(line: bytes) -> bytes | None:
        return b"250-test\r\n250 SIZE 500\r\n" if line.startswith(b"EHLO") else b"221 bye\r\n"

    with speaking(answer) as port:
        add_relay(room, other.port, first={"port": port, "connections": 2}, connections=2)
        status = room.send()
    assert (status.state, status.sent, status.relays) == (IssueState.SENT, 30, {})
    assert sorted(other.recipients) == sorted(everyone(30))


def test_what_every_relay_lacks_fails_at_once(room: Room, other: Server) -> None:
    room.make(6)
    theirs = international(room, 2, 3)
    add_relay(room, other.port)
    status = room.send()
    assert (status.state, status.sent, status.failed) == (IssueState.SENT, 4, 2)
    assert sorted(each for each, end in room.states.items() if end == ("failed", "unsupported_address")) == theirs


@pytest.mark.parametrize("trouble", ["refuses", "is away"])
def test_what_only_a_paused_relay_can_carry_waits_for_it(room: Room, trouble: str) -> None:
    room.make(12)
    theirs = international(room, 1, 6)
    with serving(smtputf8=True) as able:
        add_relay(room, able.port if trouble == "refuses" else free_port())
        able.mail = lambda _address: "550 5.7.1 your account is closed"
        status = room.send()
        assert (status.state, status.sent, status.deferred) == (IssueState.PAUSED, 10, 2)
        assert all("does not offer SMTPUTF8" in each.reply for each in room.who("deferred"))
        able.mail = lambda _address: None
        main, spare = room.settings.relay
        room.settings = with_relays(room.settings, main, spare.model_copy(update={"port": able.port}))
        room.clock.tick(minutes=6)
        assert room.send().state is IssueState.SENT
        assert sorted(able.recipients) == theirs


def test_a_relay_carries_again_in_a_later_run_and_nothing_stands_against_it(room: Room, other: Server) -> None:
    room.make(40)
    room.server.mail = lambda _address: "550 5.7.1 your account is closed"
    greylist = set(everyone(40)[:20])
    other.rcpt = lambda address: "450 4.2.0 greylisted" if address in greylist else None
    add_relay(room, other.port, order=2)
    status = room.send()
    assert (status.sent, status.deferred) == (20, 20)
    assert "main" in status.relays
    room.server.mail = lambda _address: None
    room.clock.tick(minutes=6)
    status = room.send()
    assert (status.state, status.sent, status.relays) == (IssueState.SENT, 40, {})
    assert sorted(room.server.recipients) == sorted(greylist)


def test_when_every_relay_refuses_the_issue_pauses_and_nobody_is_charged(room: Room, other: Server) -> None:
    room.make(30)
    room.server.mail = lambda _address: "550 5.7.1 your account is closed"
    other.mail = lambda _address: "451 4.7.0 over quota"
    add_relay(room, other.port, first={"connections": 3}, connections=3)
    with pytest.raises(RelayError, match="refuses issue 1, not its readers"):
        room.send()
    status = room.status()
    assert (status.state, status.stop, status.pending, status.failed) == (IssueState.PAUSED, Stop.RELAY, 30, 0)
    assert {name: each.temporary for name, each in troubles(room).items()} == {"main": False, "other": True}
    assert {each.attempts for each in room.who("pending")} == {0}
    room.server.mail = other.mail = lambda _address: None
    assert room.send().state is IssueState.SENT
    assert sorted(room.server.recipients + other.recipients) == sorted(everyone(30))


def test_a_relay_in_passing_trouble_rests_and_comes_back_within_the_run(
    room: Room, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "REST", 1)
    monkeypatch.setattr(run, "LOOK", 0.05)
    room.make(200)
    room.sending(batch=20)
    replies = iter(["451 4.3.2 overloaded"])
    room.server.mail = lambda _address: next(replies, None)
    other.data = lambda _address: time.sleep(0.015)
    add_relay(room, other.port, order=2)
    status = room.send()
    assert (status.state, status.sent, status.deferred) == (IssueState.SENT, 200, 0)
    assert len(room.server.accepted) > 20
    assert len(other.accepted) > 20
    assert Counter(room.server.recipients + other.recipients) == Counter(everyone(200))
    assert status.relays == {}
