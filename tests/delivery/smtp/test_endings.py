"""How a conversation ends: by us, by the clock, in the middle of a text, and while nothing is to be sent."""

import asyncio
from collections.abc import Callable

import pytest

from newsletter.delivery.relay import Ending
from newsletter.delivery.smtp import Timeouts
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import BACK, Tray, connect, ran, sent, settings, to
from tests.support.smtp import Dialogue, Script, scripted

LARGE = b"x" * (1 << 24) + b"\r\n"  # more than the kernel keeps
MANNERS = [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")]
manners = pytest.mark.parametrize("offers", MANNERS, ids=["plain", "grouped", "chunked"])


class Waiting(Tray):
    """Has messages later, or only in time to say that there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.waits = False
        self.more: asyncio.Queue[bool] = asyncio.Queue()

    async def wait(self) -> bool:
        self.asked.set()
        self.waits = True
        try:
            return await self.more.get()
        finally:
            self.waits = False


async def until_text(server: Dialogue, *offers: str) -> None:
    """Come to where the server has asked for the text, or has the beginning of it."""
    await server.hello(*offers)
    if "CHUNKING" in offers:
        await server.lines(3)
        return
    for reply in ("250 ok", "250 ok", "354 go"):
        await server.line()
        server.say(reply)


async def take(server: Dialogue, *offers: str) -> None:
    """Take a message in either manner, its reply due."""
    await until_text(server, *offers)
    if "CHUNKING" in offers:
        server.say("250 ok", "250 ok")
        await server.exactly(len(to(1).message))
    else:
        await server.text()


@manners
@pytest.mark.parametrize("ends", [Dialogue.hang_up, Dialogue.reset])
def test_a_text_that_is_cut_short_is_deferred(
    run: Run, offers: tuple[str, ...], ends: Callable[[Dialogue], None]
) -> None:
    async def script(server: Dialogue) -> None:
        await until_text(server, *offers)
        await server.exactly(100_000)
        ends(server)

    async def work() -> Ending:
        async with scripted(script) as port:
            return await ran(port, tray)

    tray = Tray(to(1, data=LARGE))
    ending = run(work())
    assert tray.kinds == ["deferred"]
    assert "had not all of the message text: it hung up" in tray.outcomes[0].text
    assert ending.trouble


def test_a_reset_within_a_text_with_an_envelope_behind_it_leaves_a_doubt(run: Run) -> None:
    """The loop throws away what had not left, and does not say how much of it was the text's."""

    async def script(server: Dialogue) -> None:
        await until_text(server, "PIPELINING")
        await server.exactly(100_000)
        server.reset()

    async def work() -> Ending:
        async with scripted(script) as port:
            return await ran(port, tray)

    tray = Tray(to(1, data=LARGE), to(2))
    assert run(work()).trouble
    assert tray.kinds == ["unknown", BACK]


@manners
@pytest.mark.parametrize(
    ("reply", "kind"),
    [("552 5.3.4 too big", "failed"), ("421 4.3.2 going down", "deferred"), ("250 fine already", "deferred")],
)
def test_a_reply_within_the_text_ends_the_connection_for_the_rest_would_be_taken_for_commands(
    run: Run, offers: tuple[str, ...], reply: str, kind: str
) -> None:
    async def script(server: Dialogue) -> None:
        await until_text(server, *offers)
        await server.exactly(100_000)
        server.say(*["250 ok"] * 2 * ("CHUNKING" in offers), reply)
        with pytest.raises(asyncio.IncompleteReadError):
            await server.exactly(len(LARGE))

    async def work() -> Ending:
        async with scripted(script) as port:
            return await ran(port, tray)

    tray = Tray(to(1, data=LARGE))
    ending = run(work())
    assert tray.kinds == [kind]
    assert ending.trouble


@manners
def test_a_server_that_reads_no_more_is_left_with_the_text_deferred(run: Run, offers: tuple[str, ...]) -> None:
    async def script(server: Dialogue) -> None:
        await until_text(server, *offers)
        await over.wait()

    async def work() -> Ending:
        async with scripted(script) as port:
            try:
                return await ran(port, tray, timeouts=Timeouts(5, 5, 5, 5, text=0.2, done=0.05, leave=0.1))
            finally:
                over.set()

    over = asyncio.Event()
    tray = Tray(to(1, data=LARGE))
    ending = run(work())
    assert tray.kinds == ["deferred"]
    assert "timed out: nothing for 0.2 s" in tray.outcomes[0].text
    assert ending.trouble


def test_a_server_that_reads_slowly_is_given_its_time(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await until_text(server)
        left = len(LARGE) + len(b".\r\n")
        while left:  # longer than any of the times, and never without a byte for one of them
            left -= len(await server.exactly(min(left, 1 << 20)))
            await asyncio.sleep(0.06)
        server.say("250 ok")
        assert await server.line() == "QUIT"

    async def work() -> Ending:
        async with scripted(script) as port:
            return await ran(port, tray, timeouts=Timeouts(5, 5, 5, 5, text=0.8, done=5))

    tray = Tray(to(1, data=LARGE))
    run(work())
    assert tray.kinds == sent(1)


async def _cancelled(script: Script, tray: Tray, reached: asyncio.Event) -> None:
    async with scripted(script) as port:
        connection = await connect(port)
        task = asyncio.ensure_future(connection.run(tray))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await connection.close()


@manners
@pytest.mark.parametrize(
    ("moment", "kinds"), [("MAIL", [BACK]), ("text", ["deferred"]), ("dot", ["unknown"])], ids=["MAIL", "text", "dot"]
)
def test_a_run_that_is_cancelled_ends_every_message(
    run: Run, offers: tuple[str, ...], moment: str, kinds: list[str]
) -> None:
    async def work() -> None:
        reached = asyncio.Event()

        async def script(server: Dialogue) -> None:
            if moment == "MAIL":
                await server.hello(*offers)
                await server.line()
            elif moment == "text":
                await until_text(server, *offers)
                await server.exactly(1)
            else:
                await take(server, *offers)
            reached.set()
            await asyncio.sleep(0.05)

        await _cancelled(script, tray, reached)

    tray = Tray(to(1, data=LARGE) if moment == "text" else to(1))
    run(work())
    if moment == "MAIL" and "CHUNKING" in offers:
        kinds = ["unknown"]  # the whole transaction is out with its first command
    assert tray.kinds == kinds


@manners
def test_a_connection_waits_for_more_and_takes_leave_when_told(run: Run, offers: tuple[str, ...]) -> None:
    async def script(server: Dialogue) -> None:
        await take(server, *offers)
        server.say("250 ok")
        assert await server.line() == "QUIT"

    async def work() -> Waiting:
        tray = Waiting()
        async with scripted(script) as port:
            connection = await connect(port)
            task = asyncio.ensure_future(connection.run(tray))
            await tray.asked.wait()
            tray.more.put_nowait(True)  # for nothing: others were faster
            await asyncio.sleep(0.01)
            tray.left.append(to(1))
            tray.more.put_nowait(True)
            tray.then = lambda _number: tray.more.put_nowait(False)
            assert await task == Ending(taken=1)
            await connection.close()
        return tray

    assert run(work()).kinds == sent(1)


def test_what_had_not_left_is_known_where_the_server_hangs_up_in_good_order(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await until_text(server, "PIPELINING")
        await server.exactly(100_000)
        server.finish()
        await asyncio.sleep(0.05)

    async def work() -> Ending:
        async with scripted(script) as port:
            return await ran(port, tray)

    tray = Tray(to(1, data=LARGE), to(2))
    assert run(work()).trouble
    assert tray.kinds == ["deferred", BACK]


def test_a_run_that_is_cancelled_while_it_waits_leaves_nothing_behind(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello()
        assert await server.line() == ""

    async def work() -> None:
        tray = Waiting()
        async with scripted(script) as port:
            connection = await connect(port)
            task = asyncio.ensure_future(connection.run(tray))
            await tray.asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not tray.waits
            await connection.close()

    run(work())


@manners
@pytest.mark.parametrize("words", ["421 4.4.2 idle for too long", "", "250 what", "nonsense"])
def test_a_connection_that_ends_while_nothing_is_to_be_sent_says_so_at_once(
    run: Run, offers: tuple[str, ...], words: str
) -> None:
    async def work() -> None:
        tray = Waiting()

        async def script(server: Dialogue) -> None:
            await take(server, *offers)
            server.say("250 ok")
            await tray.asked.wait()
            if words:
                server.say(words)
            server.hang_up()

        async with scripted(script) as port:
            connection = await connect(port)
            tray.left.append(to(1))
            ending = await asyncio.wait_for(connection.run(tray), 1)
            assert ending.taken == 1
            assert not tray.waits
            assert ending.trouble
            assert (ending.trouble.code == 421) is words.startswith("421")
            again = await connection.run(tray)
            assert (again.taken, again.trouble) == (0, ending.trouble)
            await connection.close()
        assert tray.kinds == sent(1)

    run(work())


@pytest.mark.parametrize(
    ("offers", "moment"),
    [
        (offers, moment)
        for offers in MANNERS
        for moment in ("MAIL", "RCPT", "DATA", "TEXT")[: 4 - ("CHUNKING" in offers)]
    ],
)
def test_silence_at_each_moment_ends_in_a_timeout(run: Run, offers: tuple[str, ...], moment: str) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*offers)
        for reply in ["250 ok", "250 ok", "354 go"][: ["MAIL", "RCPT", "DATA", "TEXT"].index(moment)]:
            await server.line()
            server.say(reply)
        await over.wait()

    async def work() -> Ending:
        async with scripted(script) as port:
            try:
                return await ran(port, tray, timeouts=Timeouts(5, 5, 0.1, 0.1, 5, 0.1, 0.1))
            finally:
                over.set()

    over = asyncio.Event()
    tray = Tray(to(1))
    ending = run(work())
    assert tray.kinds == ["unknown" if moment == "TEXT" or "CHUNKING" in offers else "deferred"]
    assert ending.trouble
    assert "timed out: nothing for 0.1 s" in ending.trouble.text


def test_taking_leave_takes_no_longer_than_it_may(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello()
        assert await server.line() == "QUIT"
        await over.wait()

    async def work() -> float:
        async with scripted(script) as port:
            connection = await connect(port, timeouts=Timeouts(leave=0.1))
            begun = asyncio.get_running_loop().time()
            await connection.close()
            await connection.close()  # once more does no harm
            over.set()
            return asyncio.get_running_loop().time() - begun

    over = asyncio.Event()
    assert run(work()) < 0.19


def test_the_times_are_those_of_the_standard() -> None:
    times = Timeouts()
    assert (times.greeting, times.command, times.data, times.text, times.done) == (300, 300, 120, 180, 600)
    assert settings(25).in_flight == 8
