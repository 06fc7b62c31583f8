"""CHUNKING (RFC 3030): whole transactions on their way at once."""

import asyncio

import pytest

from newsletter.delivery.relay import Ending
from newsletter.delivery.smtp.manners import WINDOW
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import BACK, LINES, Tray, connect, ran, sent, to
from tests.support.smtp import Dialogue, Script, scripted

OFFERS = ("PIPELINING", "CHUNKING")
FINE = ("250 2.0.0 reset", "250 2.1.0 ok", "250 2.1.5 ok", "250 2.0.0 queued")


async def transaction(server: Dialogue, number: int, *, data: bytes = LINES, reset: bool = True) -> None:
    """Read a whole transaction."""
    assert await server.lines(2 + reset) == [
        *["RSET"] * reset,
        "MAIL FROM:<bounces@desk.example>",
        f"RCPT TO:<reader{number}@example.com>",
    ]
    assert await server.chunk() == data


async def transactions(server: Dialogue, count: int) -> None:
    for number in range(1, count + 1):
        await transaction(server, number, reset=number > 1)


async def follows(script: Script, tray: Tray, *, in_flight: int = 3) -> Ending:
    async with scripted(script) as port:
        return await ran(port, tray, in_flight=in_flight)


def test_so_many_transactions_are_on_their_way_as_are_allowed_and_no_more(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 3)
        await server.silence()
        server.say(*FINE[1:])
        await transaction(server, 4)
        await server.silence()
        server.say(*FINE)
        server.say(*FINE)
        await transaction(server, 5)
        server.say(*FINE, *FINE)
        assert await server.line() == "QUIT"

    tray = Tray(*(to(number) for number in range(1, 6)))
    ending = run(follows(script, tray))
    assert (tray.kinds, ending.taken, ending.trouble) == (sent(5), 5, None)
    assert tray.begun == [1, 2, 3, 4, 5]


def test_one_at_a_time_waits_for_each(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transaction(server, 1, reset=False)
        await server.silence()
        server.say(*FINE[1:])
        await transaction(server, 2)
        server.say(*FINE)
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2))
    run(follows(script, tray, in_flight=1))
    assert tray.kinds == sent(2)


def test_large_messages_are_bounded_by_their_bytes(run: Run) -> None:
    large = b"x" * (WINDOW - 200) + b"\r\n"

    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transaction(server, 1, data=large, reset=False)
        await transaction(server, 2, data=large)
        await server.silence()
        server.say(*FINE[1:])
        await transaction(server, 3, data=large)
        server.say(*FINE, *FINE)
        assert await server.line() == "QUIT"

    tray = Tray(*(to(number, data=large) for number in (1, 2, 3)))
    assert run(follows(script, tray, in_flight=9)).trouble is None
    assert tray.kinds == sent(3)


def test_chunking_without_pipelining_is_not_used(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello("CHUNKING")
        for reply in ("250 ok", "250 ok", "354 go"):
            await server.line()
            await server.silence(0.01)
            server.say(reply)
        await server.text()
        server.say("250 one")
        assert await server.line() == "QUIT"

    tray = Tray(to(1))
    run(follows(script, tray))
    assert tray.kinds == sent(1)


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        (("250 ok", "550 5.1.1 unknown", "503 5.5.1 no recipient"), "failed"),
        (("250 ok", "450 4.2.1 greylisted", "503 5.5.1 no recipient"), "deferred"),
        (("550 5.7.1 not you", "503 what", "503 what"), "relay_refused"),
        (("250 ok", "250 ok", "552 5.3.4 too big"), "failed"),
        (("250 ok", "250 ok", "451 4.3.0 not now"), "deferred"),
        # Nobody took it, whatever the server says of the rest.
        (("250 ok", "550 5.1.1 unknown", "250 2.0.0 ok"), "failed"),
    ],
)
def test_a_failed_transaction_in_a_window_charges_its_reader_only(
    run: Run, replies: tuple[str, ...], kind: str
) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 3)
        server.say(*FINE[1:], "250 reset", *replies, *FINE)
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2), to(3))
    ending = run(follows(script, tray))
    assert tray.kinds == ["sent", kind, "sent"]
    assert ending.taken == 3


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        # to the text of the second: that one only, and what is behind it was never heard
        ([*FINE[1:], *FINE[:3], "421 4.3.2 going down"], ["sent", "deferred", BACK]),
        ([*FINE[1:], "421 4.3.2 going down"], ["sent", BACK, BACK]),
        ([*FINE[1:], *FINE[:1], "421 4.3.2 going down"], ["sent", BACK, BACK]),
        ([*FINE[1:], *FINE[:1], "550 5.7.1 not you", "421 4.3.2 going down"], ["sent", "relay_refused", BACK]),
        ([*FINE[1:], *FINE[:2], "550 5.1.1 unknown", "421 4.3.2 going down"], ["sent", "failed", BACK]),
        # on a fresh connection somebody is charged, so that the same does not go on forever
        (["421 4.3.2 going down"], ["deferred", BACK, BACK]),
        ([*FINE[1:3], "421 4.3.2 going down"], ["deferred", BACK, BACK]),
    ],
)
def test_421_charges_the_text_it_answers_and_nobody_behind_it(run: Run, said: list[str], kinds: list[str]) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 3)
        server.say(*said)
        assert await server.line() == ""

    tray = Tray(to(1), to(2), to(3))
    ending = run(follows(script, tray))
    assert tray.kinds == kinds
    assert ending.trouble
    assert ending.trouble.code == 421


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        (["503 no recipient", *FINE, *FINE], ["sent", "unknown", "unknown"]),
        (["503 no recipient", "250 reset", "421 4.3.2 going down"], ["sent", "unknown", "unknown"]),
        # nothing of this says that anything was taken
        (["421 4.3.2 going down"] * 5, ["sent", BACK, BACK]),
        (["503 no recipient"], ["sent", BACK, BACK]),
        (["closing", "closed"], ["sent", BACK, BACK]),
        ([], ["sent", BACK, BACK]),
    ],
)
@pytest.mark.parametrize("closes", [True, False])
def test_a_server_that_goes_on_after_421_leaves_a_doubt_about_each_text_it_has(
    run: Run, said: list[str], kinds: list[str], closes: bool
) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 3)
        server.say(*FINE[1:], *FINE[:2], "421 4.7.0 too fast for this recipient")
        await asyncio.sleep(0.02)
        server.say(*said)
        if closes:
            server.hang_up()
        assert await server.line() == ""

    tray = Tray(to(1), to(2), to(3))
    ending = run(follows(script, tray))
    assert tray.kinds == kinds
    assert ending.trouble
    assert ending.trouble.reply == "421 4.7.0 too fast for this recipient"


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ([], ["unknown"] * 3),
        (FINE[1:], ["sent", "unknown", "unknown"]),
        ([*FINE[1:], *FINE[:2], "550 5.1.1 unknown"], ["sent", "failed", "unknown"]),
        ([*FINE[1:], *FINE], ["sent", "sent", "unknown"]),
        ([*FINE[1:], "354 go"], ["sent", "unknown", "unknown"]),
        ([*FINE[1:], "what"], ["sent", "unknown", "unknown"]),
    ],
)
def test_a_window_that_is_lost_is_unknown_from_the_first_without_a_reply(
    run: Run, said: list[str], kinds: list[str]
) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 3)
        server.say(*said)
        server.hang_up()
        assert await server.line() == ""

    tray = Tray(to(1), to(2), to(3), to(4))
    tray.left.pop()  # what comes after the window is none of its business
    run(follows(script, tray))
    assert tray.kinds == kinds


def test_replies_that_came_before_the_end_all_count(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 3)
        server.say(*FINE[1:], *FINE, *FINE, "and now for something else")
        assert await server.line() == ""

    tray = Tray(*(to(number) for number in range(1, 5)))
    ending = run(follows(script, tray))
    assert tray.kinds == sent(3)
    assert (ending.taken, len(tray.left)) == (3, 1)
    assert ending.trouble


def test_a_disconnect_within_a_chunk_defers_it_where_its_bytes_are_still_here(run: Run) -> None:
    large = b"x" * (1 << 24) + b"\r\n"

    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        assert len(await server.lines(2)) == 2
        assert (await server.line()).startswith("BDAT ")
        await server.exactly(1000)
        server.hang_up()

    tray = Tray(to(1, data=large), to(2))
    ending = run(follows(script, tray))
    assert ending.trouble
    assert len(tray.left) == 1  # nothing more is taken while so much is under way
    assert tray.kinds == ["deferred"]
    assert "had not all of the message text" in tray.outcomes[0].text


def test_another_run_over_the_same_connection_knows_of_the_first(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transaction(server, 1, reset=False)
        server.say("250 ok", "250 ok", "451 4.3.0 not now")
        await transaction(server, 2)
        server.say("250 ok", "421 4.3.2 going down")
        assert await server.line() == ""

    async def work() -> list[Tray]:
        trays = [Tray(to(1)), Tray(to(2))]
        async with scripted(script) as port:
            connection = await connect(port)
            for tray in trays:
                await connection.run(tray)
            await connection.close()
        return trays

    assert [tray.kinds for tray in run(work())] == [["deferred"], [BACK]]


def test_replies_one_byte_at_a_time_are_matched_to_their_transactions(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 2)
        for reply in (*FINE[1:], *FINE[:2], "550-5.1.1 no", "550 5.1.1 such", "503 what"):
            await server.slowly(f"{reply}\r\n".encode())
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2))
    run(follows(script, tray))
    assert tray.kinds == ["sent", "failed"]


def test_a_source_that_raises_within_a_window_leaves_the_others_unknown(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 2)
        assert await server.line() == ""

    tray = Tray(to(1), to(2), to(3), to(4), raising=[3])

    async def work() -> None:
        async with scripted(script) as port:
            with pytest.raises(OSError, match="disk full"):
                await ran(port, tray)

    run(work())
    assert tray.kinds == ["unknown", "unknown", BACK]


def test_what_is_in_flight_is_finished_before_the_connection_takes_leave(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await transactions(server, 2)
        server.say(*FINE[1:])
        await asyncio.sleep(0.02)
        server.say(*FINE)
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2))
    assert run(follows(script, tray, in_flight=8)).taken == 2
    assert tray.kinds == sent(2)
