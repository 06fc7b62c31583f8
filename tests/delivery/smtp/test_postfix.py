"""A real Postfix with CHUNKING."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import uvloop

from newsletter.delivery.message import Envelope
from newsletter.delivery.relay import Ending
from newsletter.delivery.smtp import Offers
from tests.delivery.smtp.tray import Tray, connect
from tests.support.postfix import DOMAIN, FULL, GONE, Postfix, postfix

DATE = "Wed, 25 Nov 2026 02:00:00 +0000"
SPECIAL = {17: GONE, 23: FULL}


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with postfix() as running:
        yield running


def letter(number: int) -> Envelope:
    head = f"Subject: {number}\r\nFrom: desk@desk.example\r\nDate: {DATE}\r\nMessage-ID: <{number}@x>\r\n\r\n"
    body = ".\r\n..\r\n.x\r\n" + "y" * 900 + "\r\nend\r\n"
    recipient = SPECIAL.get(number, f"reader{number}@{DOMAIN}")
    return Envelope("bounces@desk.example", recipient, number, (head.encode(), body.encode()))


class Shared(Tray):
    """Shares its messages with other connections, and knows how many were under way at once."""

    most = 0

    def __init__(self, left: list[Envelope]) -> None:
        super().__init__()
        self.left = left

    def began(self, envelope: Envelope) -> None:
        super().began(envelope)
        self.most = max(self.most, len(self.taken) - len(self.ends))


async def handed_over(port: int, left: list[Envelope], count: int) -> tuple[list[Shared], list[Ending], Offers]:
    connections = [await connect(port, in_flight=5) for _ in range(count)]
    trays = [Shared(left) for _ in connections]
    endings = await asyncio.gather(*(one.run(tray) for one, tray in zip(connections, trays, strict=True)))
    for connection in connections:
        await connection.close()
    return trays, endings, connections[0].offers


@pytest.mark.parametrize("loop", [None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_messages_of_several_connections_arrive_byte_for_byte(
    server: Postfix, loop: Callable[[], asyncio.AbstractEventLoop] | None
) -> None:
    letters = [letter(number) for number in range(60)]
    with asyncio.Runner(loop_factory=loop) as runner:
        trays, endings, offers = runner.run(handed_over(server.port, list(letters), 3))
    assert offers.chunking
    assert offers.pipelining
    assert offers.size == 10240000
    ends = {number: kind for tray in trays for number, kind in zip(sorted(tray.ends), tray.kinds, strict=True)}
    assert ends == dict.fromkeys(range(60), "sent") | {17: "failed", 23: "deferred"}
    assert [ending.trouble for ending in endings] == [None] * 3
    assert max(tray.most for tray in trays) == 5
    arrived = [mail[mail.index(b"Subject:") :] for mail in server.collected(58)]  # less the headers that Postfix added
    wanted = [each.message.replace(b"\r\n", b"\n") for each in letters if each.delivery_id not in SPECIAL]
    assert sorted(arrived) == sorted(wanted)
