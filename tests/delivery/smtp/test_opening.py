"""From an address to a connection: greetings, TLS, and what may go wrong before the first message."""

import ssl
from pathlib import Path

import pytest

from newsletter.delivery.smtp import Timeouts, name_of
from newsletter.errors import RelayError
from newsletter.transport import Tls
from tests.conftest import make_publication
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import Tray, connect, ran, refused, sent, to
from tests.support import smtp
from tests.support.smtp import Dialogue, Server, scripted, serving, speaking


def test_nobody_listening_names_host_port_and_reason_and_leaves_the_next_step_to_the_command(run: Run) -> None:
    port = smtp.free_port()
    refusal = run(refused(port))
    assert str(refusal) == f"relay main at 127.0.0.1:{port} cannot be reached: Connection refused"
    assert refusal.temporary


def test_a_host_that_no_name_can_be_is_named(run: Run) -> None:
    refusal = run(refused(25, host="mail..example"))
    assert "cannot be reached: 'mail..example' is no name of a host" in str(refusal)
    assert not refusal.temporary


@pytest.mark.parametrize(("banner", "temporary"), [("554 no service for you", False), ("421 busy", True)])
def test_a_banner_that_turns_us_away_is_the_relays_refusal(run: Run, banner: str, temporary: bool) -> None:
    with speaking(lambda _line: b"500 no\r\n", banner=f"{banner}\r\n".encode()) as port:
        refusal = run(refused(port))
    assert f"will not talk to us: {banner}" in str(refusal)
    assert refusal.temporary is temporary


def test_a_server_that_speaks_something_else_harms_nobody(run: Run) -> None:
    with speaking(lambda _line: b"+OK what\r\n", banner=b"+OK POP3 ready\r\n") as port:
        refusal = run(refused(port))
    assert "it said what is no SMTP reply: '+OK POP3 ready'" in str(refusal)


@pytest.mark.parametrize("after", ["connect", "greeting", "EHLO"])
def test_a_server_that_hangs_up_or_falls_silent_early_cannot_be_used(run: Run, after: str) -> None:
    async def quiet(server: Dialogue) -> None:
        if after != "connect":
            server.say("220 test")
            await server.line()
        if after == "EHLO":
            server.say("250 test")
            server.hang_up()
        await server.line()

    async def work() -> RelayError:
        async with scripted(quiet) as port:
            return await refused(port, timeouts=Timeouts(5, 0.1, 0.1), tls=Tls.REQUIRE)

    refusal = run(work())
    assert ("does not offer STARTTLS" if after == "EHLO" else "timed out: nothing for 0.1 s") in str(refusal)


def test_a_greeting_of_many_lines_and_one_byte_at_a_time_is_read(run: Run) -> None:
    async def slow(server: Dialogue) -> None:
        await server.slowly(b"220-welcome\r\n220-to this\r\n220 test\r\n")
        assert await server.line() == "EHLO desk.example"
        await server.slowly(b"250-test\r\n250-size 1000\r\n250 DSN\r\n")
        assert await server.line() == "QUIT"

    async def work() -> None:
        async with scripted(slow) as port:
            connection = await connect(port)
            assert connection.offers.dsn
            assert connection.offers.size == 1000
            assert str(connection) == f"relay main at 127.0.0.1:{port}"
            assert connection.secure == ""
            await connection.close()

    run(work())


@pytest.mark.parametrize("code", [500, 502])
def test_a_server_from_before_ehlo_is_greeted_the_old_way(run: Run, code: int) -> None:
    async def old(server: Dialogue) -> None:
        server.say("220 test")
        assert await server.line() == "EHLO desk.example"
        server.say(f"{code} what")
        assert await server.line() == "HELO desk.example"
        server.say("250 test")
        assert await server.line() == "QUIT"

    async def work() -> None:
        async with scripted(old) as port:
            connection = await connect(port)
            assert not connection.offers.extensions
            await connection.close()

    run(work())


def test_an_ehlo_that_is_refused_says_the_servers_words(run: Run) -> None:
    async def unfriendly(server: Dialogue) -> None:
        server.say("220 test")
        await server.line()
        server.say("550 5.7.1 I know you")
        assert await server.line() == ""

    async def work() -> RelayError:
        async with scripted(unfriendly) as port:
            return await refused(port)

    refusal = run(work())
    assert "will not talk to us: 550 5.7.1 I know you" in str(refusal)
    assert not refusal.temporary


def test_starttls_is_required_and_checked(run: Run) -> None:
    with serving(starttls=True) as server:
        tray = Tray(to(1))
        run(ran(server.port, tray, tls=Tls.REQUIRE))
        assert tray.kinds == sent(1)
        assert server.tls == {True}
        stranger = run(refused(server.port, tls=Tls.REQUIRE, trusting=False))
        assert "shows a certificate that cannot be trusted: self-signed certificate" in str(stranger)
        assert not stranger.temporary
        assert "certificate" in str(run(refused(server.port, tls=Tls.REQUIRE, host="0.0.0.0")))
        assert len(server.accepted) == 1


def test_a_relay_without_starttls_gets_nothing_where_it_is_required_and_all_where_it_is_not(
    run: Run, server: Server
) -> None:
    assert "does not offer STARTTLS" in str(run(refused(server.port, tls=Tls.REQUIRE)))
    assert not server.seen
    tray = Tray(to(1))
    run(ran(server.port, tray, tls=Tls.OPPORTUNISTIC))
    assert tray.kinds == sent(1)


def test_opportunistic_takes_tls_where_it_is_offered_and_none_does_not(run: Run) -> None:
    with serving(starttls=True) as server:
        run(ran(server.port, Tray(to(1)), tls=Tls.OPPORTUNISTIC, trusting=False))
        assert server.tls == {True}
        run(ran(server.port, Tray(to(2))))
        assert server.tls == {True, False}


def test_implicit_tls_begins_with_the_first_byte(run: Run) -> None:
    with serving(implicit=True) as server:
        tray = Tray(to(1))
        run(ran(server.port, tray, tls=Tls.IMPLICIT))
        assert tray.kinds == sent(1)
        assert "cannot be trusted" in str(run(refused(server.port, tls=Tls.IMPLICIT, trusting=False)))


def test_implicit_tls_hears_nothing_in_the_clear(run: Run, server: Server) -> None:
    assert "cannot be reached by TLS" in str(run(refused(server.port, tls=Tls.IMPLICIT)))
    assert not server.seen


@pytest.mark.parametrize("injected", ["250 AUTH PLAIN\r\n250 ok\r\n", "250-half a rep"])
@pytest.mark.parametrize("tls", [Tls.REQUIRE, Tls.OPPORTUNISTIC])
def test_what_was_slipped_in_before_tls_ends_the_connection(run: Run, injected: str, tls: Tls) -> None:
    """An attacker's reply in the clear, in one packet with the 220, must not answer what is asked under TLS."""

    async def attacked(server: Dialogue) -> None:
        await server.hello("STARTTLS")
        assert await server.line() == "STARTTLS"
        server.raw(f"220 go\r\n{injected}".encode())
        assert await server.line() == ""

    async def work() -> RelayError:
        async with scripted(attacked) as port:
            return await refused(port, tls=tls)

    assert "it said " in str(run(work()))


async def _says_454(server: Dialogue) -> None:
    server.say("454 4.7.0 TLS not available")


async def _speaks_no_tls(server: Dialogue) -> None:
    server.say("220 go")
    await server.exactly(1)
    server.raw(b"500 what is this\r\n")


@pytest.mark.parametrize("breaks", [_says_454, _speaks_no_tls])
def test_starttls_that_fails_ends_it_where_required_and_else_goes_on_in_the_clear(
    run: Run, breaks: smtp.Script
) -> None:
    async def broken(server: Dialogue) -> None:
        await server.hello("STARTTLS")
        assert await server.line() == "STARTTLS"
        await breaks(server)

    async def clear(server: Dialogue) -> None:
        await server.hello("STARTTLS")
        assert await server.line() == "QUIT"

    async def work() -> RelayError:
        async with scripted(broken, clear) as port:
            connection = await connect(port, tls=Tls.OPPORTUNISTIC)
            assert connection.secure == ""
            await connection.close()
        async with scripted(broken) as port:
            return await refused(port, tls=Tls.REQUIRE)

    refusal = run(work())
    assert "refuses it: 454" in str(refusal) or "cannot be reached by TLS" in str(refusal)
    assert refusal.temporary


def test_what_is_offered_in_the_clear_counts_no_more_under_tls(run: Run) -> None:
    async def changing(server: Dialogue) -> None:
        await server.hello("STARTTLS", "CHUNKING", "PIPELINING", "SIZE 1")
        assert await server.line() == "STARTTLS"
        server.say("220 go")
        await server.start_tls()
        assert await server.line() == "EHLO desk.example"
        server.say("250-test", "250 DSN")
        assert await server.line() == "QUIT"

    async def work() -> None:
        async with scripted(changing) as port:
            connection = await connect(port, tls=Tls.REQUIRE)
            assert set(connection.offers.extensions) == {"DSN"}
            assert connection.secure.startswith("TLS")
            await connection.close()

    run(work())


def test_the_desk_calls_itself_by_its_domain(tmp_path: Path) -> None:
    settings = make_publication(tmp_path / "desk", "sqlite:///x.db")
    sender = settings.sender
    named = settings.model_copy(update={"sender": sender.model_copy(update={"from_": "desk@zürich.example"})})
    assert name_of(settings) == sender.domain
    assert name_of(named).isascii()


def test_the_test_servers_certificate_is_that_of_the_loopback_only() -> None:
    assert smtp.trust().verify_mode is ssl.CERT_REQUIRED
