"""Servers without PIPELINING: not one byte before its time."""

import pytest

from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import LINES, Tray, ran, sent, to
from tests.support.smtp import Dialogue, scripted


async def expects(server: Dialogue, line: str, *replies: str) -> None:
    """Read a command, see that nothing follows it, and reply."""
    assert await server.line() == line
    await server.silence(0.01)
    server.say(*replies)


@pytest.mark.parametrize("offers", [(), ("CHUNKING",), ("SIZE", "8BITMIME")])
def test_each_command_waits_for_the_reply_to_the_one_before(run: Run, offers: tuple[str, ...]) -> None:
    size = f" SIZE={len(LINES)}" if "SIZE" in offers else ""
    mail = f"MAIL FROM:<bounces@desk.example>{size}"

    async def strict(server: Dialogue) -> None:
        await server.silence(0.01)
        await server.hello(*offers)
        await expects(server, mail, "550 5.7.1 not you")
        await expects(server, mail, "250 ok")  # nothing stands, and nothing is reset
        await expects(server, "RCPT TO:<reader2@example.com>", "550 5.1.1 unknown")
        await expects(server, "RSET", "250 ok")
        await expects(server, mail, "250 ok")
        await expects(server, "RCPT TO:<reader3@example.com>", "250 ok")
        await expects(server, "DATA", "451 4.3.0 not now")
        await expects(server, "RSET", "250 ok")
        await expects(server, mail, "250 ok")
        await expects(server, "RCPT TO:<reader4@example.com>", "250-o", "250 k")
        await expects(server, "DATA", "354 go")
        assert await server.text() == LINES.replace(b"\r\n.", b"\r\n..")
        await server.silence(0.01)
        server.say("554 5.6.0 bad content")
        await expects(server, mail, "250 ok")
        await expects(server, "RCPT TO:<reader5@example.com>", "251 will forward")
        await expects(server, "DATA", "354 go")
        await server.text()
        server.say("250 queued")
        await expects(server, "QUIT", "221 bye")

    tray = Tray(*(to(number) for number in range(1, 6)))

    async def work() -> None:
        async with scripted(strict) as port:
            ending = await ran(port, tray)
            assert (ending.taken, ending.trouble) == (5, None)

    run(work())
    assert tray.kinds == ["relay_refused", "failed", "deferred", "failed", *sent(1)]
    assert tray.begun == [4, 5]


@pytest.mark.parametrize(
    ("moment", "reply", "kind"),
    [
        ("MAIL", "354 go", "deferred"),
        ("RCPT", "354 go", "deferred"),
        ("DATA", "250 sent already", "deferred"),
        ("DATA", "334 go", "deferred"),
        ("TEXT", "354 go", "unknown"),
    ],
)
def test_a_reply_that_makes_no_sense_is_never_taken_for_success(run: Run, moment: str, reply: str, kind: str) -> None:
    async def confused(server: Dialogue) -> None:
        await server.hello()
        for expected, fine in (("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go")):
            assert (await server.line()).startswith(expected)
            server.say(reply if moment == expected else fine)
            if moment == expected:
                assert await server.line() == ""
                return
        await server.text()
        server.say(reply)
        assert await server.line() == ""

    async def work() -> None:
        async with scripted(confused) as port:
            await ran(port, tray)

    tray = Tray(to(1))
    run(work())
    assert tray.kinds == [kind]
