"""Messages under TLS, in each manner."""

import asyncio

import pytest

from newsletter.delivery.relay import Ending
from newsletter.delivery.smtp import Timeouts
from newsletter.transport import Tls
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import BACK, SHORT, Tray, ran, sent, to
from tests.support.smtp import Dialogue, Script, scripted

LARGE = (b"y" * 70 + b"\r\n") * 100_000
GROUPED, CHUNKED = ("PIPELINING",), ("PIPELINING", "CHUNKING")
either = pytest.mark.parametrize("offers", [GROUPED, CHUNKED], ids=["grouped", "chunked"])


async def secured(server: Dialogue, *offers: str) -> None:
    await server.hello("STARTTLS")
    assert await server.line() == "STARTTLS"
    server.say("220 go")
    await server.start_tls()
    await server.line()
    server.say("250-test", *(f"250-{offer}" for offer in offers), "250 OK")


async def received(server: Dialogue, *offers: str, reset: bool = False) -> bytes:
    """Take a message, its reply due."""
    await server.lines(2 + reset)
    if "CHUNKING" in offers:
        return await server.chunk()
    await server.line()
    server.say("250 ok", "250 ok", "354 go")
    return await server.exactly(len(LARGE) + 3)


async def follows(script: Script, tray: Tray, timeouts: Timeouts = SHORT) -> Ending:
    async with scripted(script) as port:
        return await ran(port, tray, tls=Tls.REQUIRE, timeouts=timeouts)


@either
def test_large_messages_arrive_byte_for_byte(run: Run, offers: tuple[str, ...]) -> None:
    async def script(server: Dialogue) -> None:
        await secured(server, *offers)
        for number in range(3):
            text = await received(server, *offers, reset=bool(number) and "CHUNKING" in offers)
            assert text[: len(LARGE)] == LARGE
            if "CHUNKING" in offers:
                server.say(*["250 ok"] * (2 + bool(number)))
            server.say("250 queued")
        assert await server.line() == "QUIT"

    tray = Tray(*(to(number, data=LARGE) for number in range(3)))
    assert run(follows(script, tray)) == Ending(taken=3)
    assert tray.kinds == sent(3)


@either
def test_a_relay_that_reads_slowly_is_given_its_time(run: Run, offers: tuple[str, ...]) -> None:
    async def script(server: Dialogue) -> None:
        await secured(server, *offers)
        await server.lines(3)
        if "CHUNKING" not in offers:
            server.say("250 ok", "250 ok", "354 go")
        left = len(LARGE) + 3 * ("CHUNKING" not in offers)
        while left:
            left -= len(await server.exactly(min(left, 1 << 20)))
            await asyncio.sleep(0.08)
        server.say(*["250 ok"] * (3 if "CHUNKING" in offers else 1))
        assert await server.line() == "QUIT"

    tray = Tray(to(1, data=LARGE))
    run(follows(script, tray, Timeouts(5, 5, 5, 5, text=1.0, done=5)))
    assert tray.kinds == sent(1)


@either
def test_a_connection_that_ends_within_a_text_or_after_it_is_unknown(run: Run, offers: tuple[str, ...]) -> None:
    """What the TLS layer still has cannot be told: in doubt, all of it left."""

    async def script(server: Dialogue) -> None:
        await secured(server, *offers)
        await received(server, *offers)
        server.hang_up()

    tray = Tray(to(1, data=LARGE), to(2))
    ending = run(follows(script, tray))
    assert tray.kinds[0] == "unknown"
    assert BACK in tray.kinds[1:] or len(tray.left) == 1
    assert ending.trouble


def test_an_envelope_that_ends_early_charges_only_a_fresh_connection(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await secured(server, *GROUPED)
        await received(server, *GROUPED)
        await server.lines(3)
        server.say("250 queued")
        server.hang_up()

    tray = Tray(to(1, data=LARGE), to(2))
    run(follows(script, tray))
    assert tray.kinds == ["sent", BACK]
