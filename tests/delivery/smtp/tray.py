"""A source of messages that keeps what became of each, and short ways to send by it."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from newsletter.delivery import smtp as client
from newsletter.delivery.message import Envelope
from newsletter.delivery.relay import Ending
from newsletter.delivery.replies import Kind, Outcome
from newsletter.delivery.smtp import Connection, Credentials, Timeouts
from newsletter.errors import RelayError
from newsletter.transport import Relay, Tls
from tests.support import smtp

LINES = b"Subject: dots\r\nMessage-ID: <1@x>\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\nend\r\n"
#: What became of a message that was given back.
BACK = "back"
SHORT = Timeouts(5, 5, 5, 5, 5, 5, 2, 0.1)


def to(number: int, *, data: bytes = LINES, local: str = "reader", utf8: bool = False, envid: str = "") -> Envelope:
    return Envelope("bounces@desk.example", f"{local}{number}@example.com", number, (data,), utf8, envid)


class Tray:
    """Messages for one run: `ends` has the one end of each that was taken."""

    def __init__(self, *envelopes: Envelope, raising: Iterable[int] = ()) -> None:
        self.left = list(envelopes)
        self.taken: list[int] = []
        self.begun: list[int] = []
        self.ends: dict[int, Outcome | str] = {}
        self.raising = set(raising)
        self.heard: list[tuple[str, int]] = []
        #: told after each end
        self.then: Callable[[int], None] = lambda _number: None

    def take(self) -> Envelope | None:
        if not self.left:
            return None
        envelope = self.left.pop(0)
        self.taken.append(envelope.delivery_id)
        self.heard.append(("take", envelope.delivery_id))
        return envelope

    async def wait(self) -> bool:
        return False

    def began(self, envelope: Envelope) -> None:
        if envelope.delivery_id in self.raising:
            raise OSError("disk full")
        self.begun.append(envelope.delivery_id)
        self.heard.append(("began", envelope.delivery_id))

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        self._end(envelope, outcome)

    def unfit(self, envelope: Envelope, outcome: Outcome) -> None:
        self._end(envelope, outcome)

    def give_back(self, envelope: Envelope) -> None:
        self._end(envelope, BACK)

    def _end(self, envelope: Envelope, end: Outcome | str) -> None:
        number = envelope.delivery_id
        assert number in self.taken
        assert number not in self.ends, f"{number} ended twice"
        self.ends[number] = end
        self.heard.append(("end", number))
        self.then(number)

    @property
    def outcomes(self) -> list[Outcome]:
        """Return those of the settled ones, in their order."""
        return [end for _, end in sorted(self.ends.items()) if isinstance(end, Outcome)]

    @property
    def kinds(self) -> list[str]:
        """Return what became of each that was taken, in their order; fails where one has no end."""
        assert set(self.ends) == set(self.taken)
        return [end.kind.value if isinstance(end, Outcome) else end for _, end in sorted(self.ends.items())]


def sent(count: int) -> list[str]:
    return [Kind.SENT.value] * count


def settings(port: int, **more: Any) -> Relay:
    given: dict[str, Any] = {"name": "main", "host": "127.0.0.1", "port": port, "tls": Tls.NONE} | more
    return Relay(**given)


async def connect(port: int, *, timeouts: Timeouts = SHORT, trusting: bool = True, **more: Any) -> Connection:
    """Return a connection to a server of the tests, whose certificate it trusts."""
    relay = settings(port, **more)
    return await client.connect(
        relay,
        credentials=Credentials(relay.username, relay.password, relay.token_command),
        name="desk.example",
        trust=smtp.trust() if trusting else None,
        timeouts=timeouts,
    )


async def ran(port: int, tray: Tray, *, limit: int = 0, **more: Any) -> Ending:
    """Send what is in the tray over one connection, take leave, and return how it ended."""
    connection = await connect(port, **more)
    try:
        return await asyncio.wait_for(connection.run(tray, limit=limit), 10)
    finally:
        await connection.close()


async def all_sent(port: int, tray: Tray, **more: Any) -> list[Ending]:
    """Send what is in the tray as a sender does: what comes back goes out over the next connection."""
    endings: list[Ending] = []
    kept = {envelope.delivery_id: envelope for envelope in tray.left}
    while tray.left:
        endings.append(await ran(port, tray, **more))
        back = [number for number, end in tray.ends.items() if end == BACK]
        for number in reversed(back):
            del tray.ends[number]
            tray.taken.remove(number)
            tray.left.insert(0, kept[number])
    return endings


async def refused(port: int, **more: Any) -> RelayError:
    """Return why the server cannot be used."""
    with pytest.raises(RelayError) as refusal:
        await connect(port, **more)
    return refusal.value
