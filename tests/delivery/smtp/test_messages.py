"""Messages and refusals against a server that offers nothing to be quick with."""

import re
from pathlib import Path

import pytest

from newsletter.delivery.replies import Fault, Kind, Moment, Outcome
from newsletter.delivery.smtp import Timeouts
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import BACK, LINES, Tray, all_sent, connect, ran, sent, to
from tests.support import smtp
from tests.support.smtp import DROP, Server, serving, speaking


def test_messages_arrive_byte_for_byte_over_one_connection(run: Run, server: Server) -> None:
    tray = Tray(*(to(number) for number in range(20)))
    ending = run(ran(server.port, tray))
    assert tray.kinds == sent(20)
    assert (ending.taken, ending.trouble) == (20, None)
    assert tray.outcomes[0].reply == "250 2.0.0 Ok: queued"
    assert [each.data for each in server.accepted] == [LINES] * 20
    assert server.recipients == [f"reader{number}@example.com" for number in range(20)]
    assert server.accepted[0].sender == "bounces@desk.example"
    assert server.connections == 1


def test_the_source_hears_of_each_message_before_its_text_and_not_of_refused_ones(run: Run, server: Server) -> None:
    tray = Tray(*(to(number) for number in (1, 2, 3)))
    begun_at_text = []
    server.rcpt = lambda address: "550 5.1.1 unknown" if address.startswith("reader2") else None
    server.data = lambda _address: begun_at_text.append(tuple(tray.begun))
    run(ran(server.port, tray))
    assert tray.kinds == ["sent", "failed", "sent"]
    assert begun_at_text == [(1,), (1, 3)]


def test_a_source_that_raises_leaves_no_half_message_behind(run: Run, server: Server) -> None:
    tray = Tray(to(1), to(2), to(3), raising=[2])
    with pytest.raises(OSError, match="disk full"):
        run(ran(server.port, tray))
    assert tray.kinds == ["sent", BACK]
    assert server.recipients == ["reader1@example.com"]
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("moment", "reply", "kind", "fault"),
    [
        ("mail", "550 5.7.1 not you", Kind.RELAY_REFUSED, Fault.POLICY),
        ("rcpt", "550 5.1.1 unknown", Kind.FAILED, Fault.ADDRESS),
        ("rcpt", "450 4.2.0 greylisted", Kind.DEFERRED, Fault.TRANSIENT),
        ("rcpt", "550 5.7.1 policy", Kind.RELAY_REFUSED, Fault.POLICY),
        ("data", "552 5.3.4 too big", Kind.FAILED, Fault.CONTENT),
        ("data", "451 4.3.0 later", Kind.DEFERRED, Fault.TRANSIENT),
        ("data", "550 5.7.1 spam", Kind.RELAY_REFUSED, Fault.POLICY),
    ],
)
def test_a_refusal_is_read_and_the_next_message_goes_over_the_same_connection(
    run: Run, server: Server, moment: str, reply: str, kind: Kind, fault: Fault
) -> None:
    replies = iter([reply])
    setattr(server, moment, lambda _address: next(replies, None))
    tray = Tray(to(1), to(2))
    run(ran(server.port, tray))
    answered = Moment.TEXT if moment == "data" else Moment(moment)
    assert tray.ends[1] == Outcome(kind, int(reply[:3]), reply[4:], fault, answered)
    assert tray.kinds[1] == "sent"
    assert server.connections == 1


def test_a_connection_that_ends_after_the_dot_is_unknown_and_the_next_message_goes_on(run: Run, server: Server) -> None:
    server.data = lambda address: DROP if address.startswith("reader1@") else None
    tray = Tray(to(1), to(2))
    endings = run(all_sent(server.port, tray))
    assert tray.kinds == ["unknown", "sent"]
    assert tray.outcomes[0].fault is Fault.LOST
    assert "gave no reply to the final dot: it hung up" in tray.outcomes[0].text
    assert server.connections == len(endings) == 2


def test_a_used_connection_that_ends_early_charges_nobody(run: Run, server: Server) -> None:
    hangs_up = iter([None, DROP, None, "421 4.7.0 that is enough"])
    server.mail = lambda _address: next(hangs_up, None)
    tray = Tray(to(1), to(2), to(3))
    endings = run(all_sent(server.port, tray))
    assert tray.kinds == sent(3)
    assert server.connections == 3
    assert [ending.taken for ending in endings] == [1, 1, 1]
    assert endings[0].trouble
    assert endings[0].trouble.fault is Fault.LOST
    assert endings[1].trouble
    assert endings[1].trouble.reply == "421 4.7.0 that is enough"


def test_421_on_a_fresh_connection_puts_off_one_reader_and_no_other(run: Run, server: Server) -> None:
    server.rcpt = lambda address: "421 4.3.2 slow down" if address.startswith("reader2@") else None
    tray = Tray(to(2), to(3))
    endings = run(all_sent(server.port, tray))
    assert tray.kinds == ["deferred", "sent"]
    assert tray.outcomes[0].reply == "421 4.3.2 slow down"
    assert endings[0].trouble == tray.outcomes[0]
    assert endings[0].taken == 0


def test_a_connection_takes_only_as_many_messages_as_it_may(run: Run, server: Server) -> None:
    tray = Tray(*(to(number) for number in range(5)))
    server.rcpt = lambda address: "550 5.1.1 unknown" if address.startswith("reader1@") else None
    ending = run(ran(server.port, tray, limit=3))
    assert tray.kinds == ["sent", "failed", "sent"]
    assert (ending.taken, ending.trouble, len(tray.left)) == (3, None, 2)


def test_a_connection_may_be_used_for_another_run(run: Run, server: Server) -> None:
    async def twice() -> list[Tray]:
        connection = await connect(server.port)
        trays = [Tray(to(1)), Tray(to(2))]
        for tray in trays:
            assert (await connection.run(tray)).taken == 1
        await connection.close()
        return trays

    assert [tray.kinds for tray in run(twice())] == [["sent"], ["sent"]]
    assert server.connections == 1


def test_silence_ends_in_a_timeout(run: Run) -> None:
    def answer(line: bytes) -> bytes:
        return b"" if line.startswith(b"RCPT") else b"250 ok\r\n"

    with speaking(answer) as port:
        tray = Tray(to(1))
        run(ran(port, tray, timeouts=Timeouts(5, 5, 0.1, leave=0.1)))
    assert tray.kinds == ["deferred"]
    assert "timed out: nothing for 0.1 s" in tray.outcomes[0].text


def test_silence_after_the_dot_is_unknown(run: Run) -> None:
    def answer(line: bytes) -> bytes:
        if line == b"DATA\r\n":
            return b"354 go\r\n"
        return b"250 ok\r\n" if line[:4] in (b"EHLO", b"MAIL", b"RCPT", b"QUIT") else b""

    with speaking(answer) as port:
        tray = Tray(to(1))
        run(ran(port, tray, timeouts=Timeouts(5, 5, 5, done=0.1)))
    assert tray.kinds == ["unknown"]


def test_an_address_that_needs_smtputf8_goes_where_it_is_offered(run: Run) -> None:
    with serving(smtputf8=True) as server:
        tray = Tray(to(1, local="zoë", utf8=True), to(2))
        run(ran(server.port, tray))
        assert tray.kinds == sent(2)
        assert server.recipients == ["zoë1@example.com", "reader2@example.com"]
        assert "SMTPUTF8" in server.accepted[0].options
        assert "BODY=8BITMIME" in server.accepted[0].options
        assert "SMTPUTF8" not in server.accepted[1].options


def test_an_address_that_needs_smtputf8_fails_where_it_is_not(run: Run, server: Server) -> None:
    tray = Tray(to(1, local="zoë", utf8=True), to(2))
    run(ran(server.port, tray))
    assert tray.kinds == ["failed", "sent"]
    assert tray.outcomes[0].fault is Fault.UNSUPPORTED_ADDRESS
    assert not tray.outcomes[0].suppresses
    assert len(server.seen) == 1


def test_postfixs_sink_takes_the_messages_as_they_are(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "sink"
    with smtp.sink(folder) as port:
        tray = Tray(*(to(number) for number in range(30)))
        run(ran(port, tray))
    assert tray.kinds == sent(30)
    dumps = b"".join(path.read_bytes() for path in folder.iterdir()).replace(b"\r\n", b"\n")
    assert sorted(re.findall(rb"<reader(\d+)@example\.com>", dumps), key=int) == [b"%d" % each for each in range(30)]
    assert dumps.count(LINES.replace(b"\r\n", b"\n")) == 30
