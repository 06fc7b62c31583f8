"""PIPELINING (RFC 2920): the text of one message and the envelope of the next in one group."""

import asyncio

import pytest

from newsletter.delivery.relay import Ending
from newsletter.delivery.replies import Fault
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import BACK, LINES, Tray, ran, sent, to
from tests.support.smtp import Dialogue, Script, scripted

OFFERS = ("PIPELINING",)
READY = ("250 2.1.0 ok", "250 2.1.5 ok", "354 go")


async def group(server: Dialogue, number: int, *, before: tuple[str, ...] = ()) -> None:
    """Read the group of a message's envelope."""
    assert await server.lines(len(before) + 3) == [
        *before,
        "MAIL FROM:<bounces@desk.example>",
        f"RCPT TO:<reader{number}@example.com>",
        "DATA",
    ]


async def follows(script: Script, tray: Tray, *, limit: int = 0) -> Ending:
    async with scripted(script) as port:
        return await ran(port, tray, limit=limit)


def test_the_next_envelope_goes_with_the_text_and_no_text_before_it_is_asked_for(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        await server.silence()
        server.say("250 ok", "250 ok")
        await server.silence()
        server.say("354 go")
        assert await server.text() == LINES.replace(b"\r\n.", b"\r\n..")
        await group(server, 2)
        await server.silence()
        server.say("250 one", *READY)
        await server.text()
        await server.silence()
        server.say("250 two")
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2))
    ending = run(follows(script, tray))
    assert (tray.kinds, ending.taken, ending.trouble) == (sent(2), 2, None)
    assert [outcome.reply for outcome in tray.outcomes] == ["250 one", "250 two"]
    # The next is taken after the text's beginning is kept, and before the reply.
    assert tray.heard == [("take", 1), ("began", 1), ("take", 2), ("end", 1), ("began", 2), ("end", 2)]


@pytest.mark.parametrize(
    ("replies", "before", "kind"),
    [
        (("250 ok", "550 5.1.1 unknown", "354 go"), (".",), "failed"),
        (("250 ok", "550 5.1.1 unknown", "554 no valid recipients"), ("RSET",), "failed"),
        (("250 ok", "450 4.2.1 greylisted", "503 what"), ("RSET",), "deferred"),
        (("250 ok", "250 ok", "451 4.3.0 not now"), ("RSET",), "deferred"),
        (("550 5.7.1 not you", "503 what", "503 what"), (), "relay_refused"),
        (("550 5.7.1 not you", "503 what", "354 go"), (".",), "relay_refused"),
        (("451 4.7.1 later", "250 ok", "503 what"), ("RSET",), "relay_refused"),
    ],
)
def test_a_refusal_leaves_nothing_standing_and_charges_only_its_reader(
    run: Run, replies: tuple[str, ...], before: tuple[str, ...], kind: str
) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*replies)
        await group(server, 2, before=before)
        server.say(*("554 no recipients" if each == "." else "250 reset" for each in before), *READY)
        await server.text()
        server.say("250 two")
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2))
    run(follows(script, tray))
    assert tray.kinds == [kind, "sent"]
    assert tray.begun == [2]


def test_a_dot_goes_out_even_when_nobody_is_next(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say("250 ok", "550 5.1.1 unknown", "354 go")
        assert await server.line() == "."
        server.say("554 5.5.1 no valid recipients")
        assert await server.line() == "QUIT"

    tray = Tray(to(1))
    assert run(follows(script, tray)).trouble is None
    assert tray.kinds == ["failed"]


def test_a_message_without_a_sender_is_never_finished(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say("550 5.7.1 not you", "250 ok", "354 go")
        assert await server.line() == ""

    tray = Tray(to(1), to(2))
    ending = run(follows(script, tray))
    assert tray.kinds == ["relay_refused"]
    assert ending.trouble
    assert "takes a message whose sender it refused" in ending.trouble.text


def test_a_message_that_is_refused_after_its_text_is_charged_and_the_next_goes_on(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        server.say("554 5.6.0 bad content", *READY)
        await server.text()
        server.say("250 two")
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2))
    run(follows(script, tray))
    assert tray.kinds == ["failed", "sent"]


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("421 4.3.2 going down", ["deferred", BACK]),
        ("250 one|421 4.3.2 going down", ["sent", BACK]),
        ("250 one|250 ok|421 4.3.2 going down", ["sent", BACK]),
        ("250 one|250 ok|250 ok|421 4.3.2 going down", ["sent", BACK]),
        ("250 one|550 5.7.1 not you|421 4.3.2 going down", ["sent", "relay_refused"]),
    ],
)
def test_421_charges_the_text_it_answers_and_nobody_else(run: Run, said: str, kinds: list[str]) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        server.say(*said.split("|"))
        assert await server.line() == ""

    tray = Tray(to(1), to(2), to(3))
    ending = run(follows(script, tray))
    assert tray.kinds == kinds
    assert ending.trouble
    assert ending.trouble.reply == "421 4.3.2 going down"


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("", ["unknown", BACK]),
        ("250 one", ["sent", BACK]),
        ("250 one|250 ok|250 ok", ["sent", BACK]),
        ("250 one|250 ok|550 5.1.1 unknown", ["sent", "failed"]),
        ("354 go", ["unknown", BACK]),
        ("250 one|354 go", ["sent", BACK]),
        ("250 one|250 ok|250 ok|250 sent already", ["sent", BACK]),
        ("what", ["unknown", BACK]),
        ("250 one|what", ["sent", BACK]),
        ("250-" + "x" * 20_000, ["unknown", BACK]),
    ],
)
def test_a_conversation_that_ends_or_goes_wrong_leaves_nobody_in_doubt_without_need(
    run: Run, said: str, kinds: list[str]
) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        if said:
            server.say(*said.split("|"))
        server.hang_up()
        assert await server.line() == ""

    tray = Tray(to(1), to(2), to(3))
    ending = run(follows(script, tray))
    assert tray.kinds == kinds
    assert ending.trouble
    assert ending.trouble.fault is Fault.LOST


def test_421_counts_whatever_is_said_with_it(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        server.say("250 one", "421 4.3.2 going down", "closing", "closed")
        assert await server.line() == ""

    tray = Tray(to(1), to(2))
    ending = run(follows(script, tray))
    assert tray.kinds == ["sent", BACK]
    assert ending.trouble
    assert ending.trouble.reply == "421 4.3.2 going down"


def test_a_250_right_before_a_reset_still_counts(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        server.say("250 one")
        await asyncio.sleep(0.02)
        server.reset()

    tray = Tray(to(1), to(2))
    ending = run(follows(script, tray))
    assert tray.kinds == ["sent", BACK]
    assert ending.trouble


def test_a_reply_that_nobody_asked_for_ends_it(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY, "250 sent before it was")
        assert await server.line() == ""

    tray = Tray(to(1))
    ending = run(follows(script, tray))
    assert tray.kinds == ["deferred"]
    assert ending.trouble
    assert "said what nobody asked for: 250 sent before it was" in ending.trouble.text


@pytest.mark.parametrize("size", [1, 2, 7])
def test_replies_in_any_pieces_give_the_same_outcomes(run: Run, size: int) -> None:
    async def script(server: Dialogue) -> None:
        async def say(*replies: str) -> None:
            data = "".join(f"{reply}\r\n" for reply in replies).encode()
            for at in range(0, len(data), size):
                server.raw(data[at : at + size])
                await asyncio.sleep(0)

        await server.hello(*OFFERS)
        await group(server, 1)
        await say("250-ok", "250 ok", "550-5.1.1 no", "550 5.1.1 such", "354 go")
        await group(server, 2, before=(".",))
        await say("554 no recipients", *READY)
        await server.text()
        await group(server, 3)
        await say("250 two", *READY)
        await server.text()
        await say("451-4.3.0 not", "451 4.3.0 now")
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2), to(3))
    run(follows(script, tray))
    assert tray.kinds == ["failed", "sent", "deferred"]
    assert tray.outcomes[0].text == "5.1.1 no\n5.1.1 such"


def test_the_limit_ends_a_run_with_no_envelope_left_open(run: Run) -> None:
    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        server.say("250 one", *READY)
        await server.text()
        await server.silence()
        server.say("250 two")
        assert await server.line() == "QUIT"

    tray = Tray(to(1), to(2), to(3))
    ending = run(follows(script, tray, limit=2))
    assert (tray.kinds, ending.taken, len(tray.left)) == (sent(2), 2, 1)


def test_a_source_that_raises_ends_it_without_a_final_dot(run: Run) -> None:
    heard: list[str] = []

    async def script(server: Dialogue) -> None:
        await server.hello(*OFFERS)
        await group(server, 1)
        server.say(*READY)
        await server.text()
        await group(server, 2)
        server.say("250 one", *READY)
        heard.append(await server.line())

    tray = Tray(to(1), to(2), to(3), raising=[2])

    async def work() -> None:
        async with scripted(script) as port:
            with pytest.raises(OSError, match="disk full"):
                await ran(port, tray)

    run(work())
    assert tray.kinds == ["sent", BACK]
    assert heard == [""]
