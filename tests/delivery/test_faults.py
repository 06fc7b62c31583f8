"""Relays that misbehave at each moment of a whole send: nobody skipped, and twice only who was in doubt."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from newsletter.delivery.report import Status
from newsletter.delivery.results import RESENT
from newsletter.errors import RelayError
from newsletter.issues.models import IssueState
from tests.delivery.room import Room, everyone
from tests.support import smtp
from tests.support.smtp import Dialogue, sink

OnUnknown = Literal["resend", "hold"]
READERS, CONNECTIONS = 24, 4
#: What a relay does to a send is the same on both databases: each has one of the two ways to take the unknown.
EACH = pytest.mark.parametrize(
    ("database_url", "on_unknown"), [("sqlite", "resend"), ("postgresql", "hold")], indirect=["database_url"]
)


def to_the_end(room: Room) -> Status:
    """Send as often as it takes, as a desk would; return how the issue stands at its end."""
    for _ in range(6):
        if room.status().state is IssueState.SENT:
            break
        room.clock.tick(minutes=20)
        with suppress(RelayError):
            room.send()
    status = room.status()
    assert status.state is IssueState.SENT
    assert status.audience == READERS == status.sent + status.failed + status.skipped + status.unknown
    assert (status.skipped, status.waiting) == (0, 0)
    return status


def faulty(room: Room, on_unknown: OnUnknown) -> None:
    """Send to a relay that misbehaves."""
    room.make(READERS)
    room.sending(on_unknown=on_unknown, batch=10)
    with suppress(RelayError):
        room.send()
    status = room.status()
    assert status.audience == READERS
    assert status.sending == 0
    assert status.worker == ""


@EACH
@pytest.mark.parametrize(
    "options",
    [
        "-q|CONNECT", "-Q|CONNECT", "-r|CONNECT", "-f|CONNECT", "-q|EHLO", "-Q|EHLO", "-L",
        "-q|MAIL", "-Q|MAIL", "-r|MAIL", "-f|MAIL",
        "-q|RCPT", "-Q|RCPT", "-r|RCPT", "-f|RCPT", "-f|RCPT|-B|550 5.7.1 not you", "-f|RCPT|-B|550 5.1.1 no such user",
        "-q|DATA", "-Q|DATA", "-r|DATA", "-f|DATA", "-f|DATA|-B|554 5.5.1 no",
        "-q|.", "-Q|.", "-r|.", "-f|.|-B|554 5.6.0 bad content", "-M|7", "-q|QUIT", "-f|QUIT",
    ],
)  # fmt: skip
def test_whatever_a_relay_does_nobody_is_skipped_or_charged_for_it(
    room: Room, tmp_path: Path, options: str, on_unknown: OnUnknown
) -> None:
    good = room.server.port
    with sink(tmp_path / "sink", *options.split("|")) as port:
        room.relay(port=port, connections=CONNECTIONS)
        faulty(room, on_unknown)
        files = len(list((tmp_path / "sink").iterdir()))
    first = {each.email for each in room.who("sent")}
    held = {each.email for each in room.who("unknown")}
    assert len(first) <= files
    room.relay(port=good)
    status = to_the_end(room)
    assert status.failed == 0
    assert status.unknown == len(held)
    assert not held or on_unknown == "hold"
    assert sorted(room.server.recipients) == sorted(set(everyone(READERS)) - first - held)
    # As long as each connection has one message in doubt, so many are for each of three tries.
    doubtful = len(held) + status.resent
    assert doubtful <= 3 * CONNECTIONS * 2
    assert (doubtful > 0) is (options in ("-q|.", "-M|7"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("options", ["-p", "-e", "-E", "-8", "-a", "-F", "-N", "-P", "-p|-w|1", "-T|1024"])
def test_whatever_a_relay_lacks_everyone_gets_one_copy(room: Room, tmp_path: Path, options: str) -> None:
    room.make(8)
    with sink(tmp_path / "sink", *options.split("|")) as port:
        room.relay(port=port, connections=8)
        status = room.send()
        assert len(list((tmp_path / "sink").iterdir())) == 8
    assert (status.state, status.sent, status.resent) == (IssueState.SENT, 8, 0)


@dataclass
class Wire:
    """A server that takes mail over bare sockets, and does one thing wrong at its `at`-th message."""

    fault: str
    at: int
    chunking: bool
    count: int = 0
    #: recipients of messages that are there in full, and of those that had a reply
    whole: list[str] = field(default_factory=list)
    replied: list[str] = field(default_factory=list)

    async def __call__(self, dialogue: Dialogue) -> None:
        await dialogue.hello("PIPELINING", "8BITMIME", *(["CHUNKING"] if self.chunking else []))
        recipient = ""
        while line := await dialogue.line():
            verb = line[:4].upper()
            if verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
            if verb == "QUIT":
                dialogue.say("221 bye")
                return
            if verb not in ("DATA", "BDAT"):
                dialogue.say("250 2.0.0 Ok")
                continue
            self.count += 1
            if not await self._message(dialogue, line, recipient, wrong=self.count == self.at):
                return

    async def _message(self, dialogue: Dialogue, line: str, recipient: str, *, wrong: bool) -> bool:
        """Take a message; return whether the conversation goes on."""
        if wrong and self.fault == "421 for the text":
            if self.chunking:
                await dialogue.exactly(int(line.split(" ")[1]))
            dialogue.say("421 4.3.2 shutting down")
            return False
        if not self.chunking:
            dialogue.say("354 go on")
        if wrong and self.fault == "gone within the text":
            await dialogue.exactly(40)
            dialogue.reset()
            return False
        if self.chunking:
            await dialogue.exactly(int(line.split(" ")[1]))
        else:
            await dialogue.text()
        self.whole.append(recipient)
        if wrong and self.fault == "gone after the text":
            dialogue.reset()
            return False
        reply = b"250 2.0.0 Ok\r\n"
        self.replied.append(recipient)
        if wrong and self.fault == "reply byte by byte":
            await dialogue.slowly(reply)
            return True
        dialogue.raw(reply)
        if wrong and self.fault == "reset after the reply":
            dialogue.reset()
        return not (wrong and self.fault == "reset after the reply")


@contextmanager
def following(wire: Wire) -> Iterator[int]:
    """Run the server in a thread."""
    with smtp._loop() as loop:
        listening = smtp.scripted(wire)
        yield asyncio.run_coroutine_threadsafe(listening.__aenter__(), loop).result(5)
        asyncio.run_coroutine_threadsafe(listening.__aexit__(None, None, None), loop).result(10)


@EACH
@pytest.mark.parametrize("chunking", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        "gone after the text",
        "gone within the text",
        "reset after the reply",
        "reply byte by byte",
        "421 for the text",
    ],
)
def test_a_connection_that_ends_at_a_bad_moment_costs_nobody_a_copy(
    room: Room, fault: str, chunking: bool, on_unknown: OnUnknown
) -> None:
    wire = Wire(fault, at=6, chunking=chunking)
    with following(wire) as port:
        room.relay(port=port, connections=2, in_flight=3)
        faulty(room, on_unknown)
        status = to_the_end(room)
    assert status.failed == 0
    copies = Counter(wire.whole)
    held = {each.email for each in room.who("unknown")}
    resent = {each.email for each in room.who("sent") if each.reason == RESENT}
    assert {each for each, count in copies.items() if count > 1} <= resent
    assert set(everyone(READERS)) - held <= set(copies)
    assert max(copies.values()) <= 2
    # What one connection had on the wire: with PIPELINING one message, with CHUNKING in_flight.
    doubtful = 0 if "reply byte" in fault or "421" in fault else 3 if chunking else 1
    assert len(held) + len(resent) <= doubtful
    if on_unknown == "hold":
        assert not resent
        assert max(copies.values()) == 1
    else:
        assert not held
        assert len(wire.replied) >= READERS - (fault == "reset after the reply")
