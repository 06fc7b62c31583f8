"""The SMTP client against real servers."""

import re
import socket
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.delivery.single import PATIENCE, SmtpRelay, Timeouts, relay, stuffed
from newsletter.errors import RelayError, SettingsError
from newsletter.settings import Settings
from newsletter.transport import Relay, Tls
from tests.conftest import make_publication
from tests.support import smtp
from tests.support.smtp import DROP, Server, serving, speaking

LINES = b"Subject: dots\r\nMessage-ID: <1@x>\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\nend\r\n"


class Watch:
    """Keeps what the relay asked and told."""

    def __init__(self, unwanted: Iterable[int] = ()) -> None:
        self.unwanted = set(unwanted)
        self.asked: list[int] = []
        self.begun: list[int] = []

    def wanted(self, envelope: Envelope) -> bool:
        self.asked.append(envelope.delivery_id)
        return envelope.delivery_id not in self.unwanted

    def began(self, envelope: Envelope) -> None:
        self.begun.append(envelope.delivery_id)


def to(number: int, *, data: bytes = LINES, local: str = "reader", utf8: bool = False) -> Envelope:
    return Envelope("bounces@desk.example", f"{local}{number}@example.com", number, data, utf8)


def client(port: int, *, tls: Tls = Tls.NONE, host: str = "127.0.0.1", **more: str) -> SmtpRelay:
    settings = Relay(name="main", host=host, port=port, tls=tls, username=more.get("username", ""))
    return SmtpRelay(settings, password=more.get("password", ""), trust=smtp.trust(), timeouts=Timeouts(5, 5, 5))


def sent(carrier: SmtpRelay, *envelopes: Envelope, watch: Watch | None = None) -> list[tuple[int, Outcome]]:
    found = [(each.delivery_id, outcome) for each, outcome in carrier.send(envelopes, watch or Watch())]
    carrier.close()
    return found


def kinds(found: list[tuple[int, Outcome]]) -> list[Kind]:
    return [outcome.kind for _, outcome in found]


def test_messages_arrive_byte_for_byte_over_one_connection(server: Server) -> None:
    found = sent(client(server.port), *(to(number) for number in range(20)))
    assert kinds(found) == [Kind.SENT] * 20
    assert found[0][1].reply == "250 2.0.0 Ok: queued"
    assert [each.data for each in server.accepted] == [LINES] * 20
    assert server.recipients == [f"reader{number}@example.com" for number in range(20)]
    assert server.accepted[0].sender == "bounces@desk.example"
    assert server.connections == 1


def test_dots_are_doubled_and_the_end_is_one_dot() -> None:
    assert stuffed(b".a\r\n.\r\nb.\r\n") == b"..a\r\n..\r\nb.\r\n.\r\n"
    assert stuffed(b"no end") == b"no end\r\n.\r\n"
    assert stuffed(b"") == b"\r\n.\r\n"


def test_the_watch_hears_of_each_message_before_its_text_and_not_of_refused_ones(server: Server) -> None:
    watch = Watch(unwanted=[2])
    begun_at_text = []
    server.rcpt = lambda address: "550 5.1.1 unknown" if address.startswith("reader3") else None
    server.data = lambda _address: begun_at_text.append(tuple(watch.begun))
    found = sent(client(server.port), *(to(number) for number in (1, 2, 3, 4)), watch=watch)
    assert [key for key, _ in found] == [1, 3, 4]
    assert watch.asked == [1, 2, 3, 4]
    assert begun_at_text == [(1,), (1, 4)]


def test_a_watch_that_raises_leaves_no_half_message_behind(server: Server) -> None:
    class Full(Watch):
        def began(self, envelope: Envelope) -> None:
            raise OSError("disk full")

    carrier = client(server.port)
    with pytest.raises(OSError, match="disk full"):
        sent(carrier, to(1), watch=Full())
    assert kinds(sent(carrier, to(2))) == [Kind.SENT]
    assert server.recipients == ["reader2@example.com"]
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
    server: Server, moment: str, reply: str, kind: Kind, fault: Fault
) -> None:
    replies = iter([reply])
    setattr(server, moment, lambda _address: next(replies, None))
    found = sent(client(server.port), to(1), to(2))
    assert found[0][1] == Outcome(kind, int(reply[:3]), reply[4:], fault)
    assert found[1][1].kind is Kind.SENT
    assert server.connections == 1


def test_a_connection_that_ends_after_the_dot_is_unknown_and_the_next_message_goes_on(server: Server) -> None:
    server.data = lambda address: DROP if address.startswith("reader1@") else None
    found = sent(client(server.port), to(1), to(2))
    assert kinds(found) == [Kind.UNKNOWN, Kind.SENT]
    assert found[0][1].fault is Fault.LOST
    assert server.connections == 2


def test_a_used_connection_that_ends_early_is_opened_again_for_the_same_message(server: Server) -> None:
    hangs_up = iter([None, DROP, None, "421 4.7.0 that is enough"])
    server.mail = lambda _address: next(hangs_up, None)
    watch = Watch()
    found = sent(client(server.port), to(1), to(2), to(3), watch=watch)
    assert kinds(found) == [Kind.SENT] * 3
    assert server.connections == 3
    assert watch.asked == [1, 2, 2, 3, 3]  # whether it is still wanted is asked anew


def test_421_on_a_fresh_connection_puts_off_one_reader_and_no_other(server: Server) -> None:
    server.rcpt = lambda address: "421 4.3.2 slow down" if address.startswith("reader2@") else None
    found = sent(client(server.port), to(1), to(2), to(3))
    assert kinds(found) == [Kind.SENT, Kind.DEFERRED, Kind.SENT]
    assert found[1][1].reply == "421 4.3.2 slow down"


def test_a_relay_that_keeps_hanging_up_is_left_alone(server: Server) -> None:
    server.rcpt = lambda _address: DROP
    with pytest.raises(RelayError, match="hung up 3 times in a row") as refusal:
        sent(client(server.port), *(to(number) for number in range(9)))
    assert refusal.value.temporary
    assert server.connections == PATIENCE


def test_nobody_listening_names_host_port_reason_and_next_step() -> None:
    port = smtp.free_port()
    with pytest.raises(RelayError) as refusal:
        sent(client(port), to(1))
    assert str(refusal.value).startswith(f"relay main at 127.0.0.1:{port} cannot be reached: Connection refused. ")
    assert "newsletter doctor" in str(refusal.value)
    assert refusal.value.temporary


@pytest.mark.parametrize(("banner", "temporary"), [(b"554 no service for you\r\n", False), (b"421 busy\r\n", True)])
def test_a_banner_that_turns_us_away_is_the_relays_refusal(banner: bytes, temporary: bool) -> None:
    with speaking(lambda _line: b"500 no\r\n", banner=banner) as port:
        with pytest.raises(RelayError, match=f"will not talk to us: {banner.decode().strip()}") as refusal:
            sent(client(port), to(1))
        assert refusal.value.temporary is temporary


def test_a_server_that_speaks_something_else_harms_nobody() -> None:
    with speaking(lambda _line: b"+OK what\r\n", banner=b"+OK POP3 ready\r\n") as port:
        with pytest.raises(RelayError):
            sent(client(port), to(1))


def test_silence_ends_in_a_timeout() -> None:
    def answer(line: bytes) -> bytes:
        return b"" if line.startswith(b"RCPT") else b"250 ok\r\n"

    with speaking(answer) as port:
        carrier = SmtpRelay(Relay(name="main", host="127.0.0.1", port=port, tls=Tls.NONE), timeouts=Timeouts(5, 0.2, 5))
        found = sent(carrier, to(1))
    assert kinds(found) == [Kind.DEFERRED]
    assert "timed out" in found[0][1].text


def test_silence_after_the_dot_is_unknown() -> None:
    def answer(line: bytes) -> bytes:
        if line == b"DATA\r\n" or line == b"data\r\n":
            return b"354 go\r\n"
        return b"250 ok\r\n" if line[:4].upper() in (b"EHLO", b"MAIL", b"RCPT", b"QUIT") else b""

    with speaking(answer) as port:
        carrier = SmtpRelay(Relay(name="main", host="127.0.0.1", port=port, tls=Tls.NONE), timeouts=Timeouts(5, 5, 0.2))
        assert kinds(sent(carrier, to(1))) == [Kind.UNKNOWN]


def test_starttls_is_required_and_checked() -> None:
    with serving(starttls=True) as server:
        assert kinds(sent(client(server.port, tls=Tls.REQUIRE), to(1))) == [Kind.SENT]
        assert server.tls == {True}
        stranger = SmtpRelay(Relay(name="main", host="127.0.0.1", port=server.port, tls=Tls.REQUIRE))
        with pytest.raises(RelayError, match="certificate that cannot be trusted: self-signed certificate"):
            sent(stranger, to(2))
        other_name = SmtpRelay(Relay(name="main", host="127.0.0.2", port=server.port, tls=Tls.REQUIRE))
        with pytest.raises(RelayError):
            sent(other_name, to(2))
        assert len(server.accepted) == 1


def test_a_relay_without_starttls_gets_nothing_where_it_is_required_and_all_where_it_is_not(server: Server) -> None:
    with pytest.raises(RelayError, match="does not offer STARTTLS"):
        sent(client(server.port, tls=Tls.REQUIRE), to(1))
    assert not server.seen
    assert kinds(sent(client(server.port, tls=Tls.OPPORTUNISTIC), to(1))) == [Kind.SENT]


def test_opportunistic_takes_tls_where_it_is_offered_and_none_does_not() -> None:
    with serving(starttls=True) as server:
        opportunist = SmtpRelay(Relay(name="main", host="127.0.0.1", port=server.port, tls=Tls.OPPORTUNISTIC))
        assert kinds(sent(opportunist, to(1))) == [Kind.SENT]
        assert server.tls == {True}
        sent(client(server.port), to(2))
        assert server.tls == {True, False}


def test_implicit_tls_begins_with_the_first_byte() -> None:
    with serving(implicit=True) as server:
        assert kinds(sent(client(server.port, tls=Tls.IMPLICIT), to(1))) == [Kind.SENT]
        stranger = SmtpRelay(Relay(name="main", host="127.0.0.1", port=server.port, tls=Tls.IMPLICIT))
        with pytest.raises(RelayError, match="cannot be trusted"):
            sent(stranger, to(2))


def test_what_was_slipped_in_before_tls_is_not_heard() -> None:
    """An attacker's reply in the clear, in one packet with the 220, must not answer what is asked under TLS."""

    def answer(line: bytes) -> bytes | None:
        return b"250-x\r\n250 STARTTLS\r\n" if line.startswith(b"ehlo") else b"220 go\r\n250 AUTH PLAIN\r\n250 ok\r\n"

    with speaking(answer) as port, pytest.raises(RelayError):
        sent(client(port, tls=Tls.REQUIRE), to(1))


def test_a_password_is_given_and_a_wrong_one_stops_everything() -> None:
    with serving(starttls=True, login={"desk": "s3cret"}) as server:
        good = client(server.port, tls=Tls.REQUIRE, username="desk", password="s3cret")
        assert kinds(sent(good, to(1))) == [Kind.SENT]
        assert server.users == ["desk"]
        bad = client(server.port, tls=Tls.REQUIRE, username="desk", password="hunter2")
        with pytest.raises(RelayError, match="refused the user name or password: 535") as refusal:
            sent(bad, to(2))
        assert not refusal.value.temporary
        assert "hunter2" not in str(refusal.value)


def test_a_relay_that_cannot_log_in_is_named_so(server: Server) -> None:
    with pytest.raises(RelayError, match="offers no AUTH"):
        sent(client(server.port, username="desk", password="x"), to(1))


def test_a_password_never_goes_in_the_clear_beyond_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    name = socket.gethostname()
    said: list[bytes] = []

    def answer(line: bytes) -> bytes:
        said.append(line)
        return b"250-x\r\n250 AUTH PLAIN LOGIN\r\n"

    with speaking(answer) as port:
        monkeypatch.setattr(socket, "create_connection", _to_loopback(socket.create_connection))
        with pytest.raises(RelayError, match="a password never goes in the clear"):
            sent(client(port, host=f"{name}.example", username="desk", password="s3cret"), to(1))
    assert not any(line.upper().startswith(b"AUTH") for line in said)


def _to_loopback(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Resolve every name to the loopback: the network of this machine is not the test's business."""
    return lambda address, *rest, **more: connect(("127.0.0.1", address[1]), *rest, **more)


def test_an_address_that_needs_smtputf8_goes_where_it_is_offered() -> None:
    with serving(smtputf8=True) as server:
        envelope = to(1, local="zoë", utf8=True)
        found = sent(client(server.port), envelope, to(2))
        assert kinds(found) == [Kind.SENT] * 2
        assert server.recipients == ["zoë1@example.com", "reader2@example.com"]
        assert "SMTPUTF8" in server.accepted[0].options
        assert "SMTPUTF8" not in server.accepted[1].options


def test_an_address_that_needs_smtputf8_fails_where_it_is_not(server: Server) -> None:
    found = sent(client(server.port), to(1, local="zoë", utf8=True), to(2))
    assert found[0][1].fault is Fault.UNSUPPORTED_ADDRESS
    assert not found[0][1].suppresses
    assert kinds(found) == [Kind.FAILED, Kind.SENT]


def test_postfix_takes_the_messages_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "sink"
    with smtp.sink(folder) as port:
        assert kinds(sent(client(port), *(to(number) for number in range(30)))) == [Kind.SENT] * 30
    dumps = b"".join(path.read_bytes() for path in folder.iterdir()).replace(b"\r\n", b"\n")
    assert sorted(re.findall(rb"reader\d+@example\.com", dumps)) == sorted(
        f"reader{number}@example.com".encode() for number in range(30)
    )
    assert dumps.count(LINES.replace(b"\r\n", b"\n")) == 30


def test_the_publications_relay_is_the_first_of_its_settings(tmp_path: Path) -> None:
    settings = make_publication(tmp_path / "desk", "sqlite:///x.db", port=2600)
    assert str(relay(settings)) == "relay main at 127.0.0.1:2600"
    with pytest.raises(SettingsError, match=r"a send needs a relay.*add a \[\[relay\]\] table"):
        relay(settings.model_copy(update={"relay": ()}))


def test_a_password_file_is_read_from_the_publications_folder(tmp_path: Path) -> None:
    settings = make_publication(tmp_path / "desk", "sqlite:///x.db")
    chosen = settings.relay[0].model_copy(update={"username": "desk", "password_file": "keys/relay"})
    settings = _with_relay(settings, chosen)
    with pytest.raises(SettingsError, match="password file of relay main"):
        relay(settings)
    settings.path("keys/relay").write_text("s3cret\n")
    with serving(login={"desk": "s3cret"}) as server:
        carrier = relay(_with_relay(settings, chosen.model_copy(update={"port": server.port})))
        assert kinds(sent(carrier, to(1))) == [Kind.SENT]


def _with_relay(settings: Settings, chosen: Relay) -> Settings:
    made = settings.model_copy(update={"relay": (chosen,)})
    made._folder = settings.folder
    return made


def test_the_test_servers_certificate_is_that_of_the_loopback_only() -> None:
    assert smtp.trust().verify_mode is ssl.CERT_REQUIRED
