"""Logging in: by which way, with what secret, and never in the clear."""

import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.smtp import credentials
from newsletter.errors import RelayError, SettingsError
from newsletter.transport import Auth, Tls
from tests.conftest import make_publication
from tests.delivery.smtp.conftest import Run
from tests.delivery.smtp.tray import Tray, connect, ran, sent, to
from tests.support.smtp import Dialogue, Server, scripted, serving, speaking

Steps = Callable[[Dialogue], Any]
DESK: dict[str, Any] = {"username": "desk", "password": "s3crét"}


def decoded(text: str) -> str:
    return b64decode(text, validate=True).decode()


async def logged_in(steps: Steps, *offers: str, **more: Any) -> None:
    """Log in at a server that follows the steps after its EHLO, and is left in good order even where that fails."""

    async def script(server: Dialogue) -> None:
        await server.hello(*offers)
        await steps(server)
        assert await server.line() in ("QUIT", "")

    failure: RelayError | None = None
    async with scripted(script) as port:
        try:
            connection = await connect(port, **more)
            await connection.close()
        except RelayError as error:
            failure = error
    if failure:
        raise failure


def test_a_password_is_given_and_a_wrong_one_stops_everything(run: Run) -> None:
    with serving(starttls=True, login={"desk": "s3cret"}) as server:
        tray = Tray(to(1))
        run(ran(server.port, tray, tls=Tls.REQUIRE, username="desk", password="s3cret"))
        assert tray.kinds == sent(1)
        assert server.users == ["desk"]
        with pytest.raises(RelayError, match="refused the user name or password: 535") as refusal:
            run(connect(server.port, tls=Tls.REQUIRE, username="desk", password="hunter2"))
        assert not refusal.value.temporary
        assert "hunter2" not in str(refusal.value)


def test_a_server_that_cannot_check_right_now_is_not_a_wrong_password(run: Run) -> None:
    async def busy(server: Dialogue) -> None:
        await server.line()
        server.say("454 4.7.0 Temporary authentication failure")

    with pytest.raises(RelayError, match="454") as refusal:
        run(logged_in(busy, "AUTH PLAIN", **DESK))
    assert refusal.value.temporary


def test_plain_goes_in_one_step(run: Run) -> None:
    async def plain(server: Dialogue) -> None:
        verb, way, secret = (await server.line()).split(" ")
        assert (verb, way, decoded(secret)) == ("AUTH", "PLAIN", "\0desk\0s3crét")
        server.say("235 2.7.0 welcome")

    run(logged_in(plain, "AUTH LOGIN PLAIN", **DESK))
    run(logged_in(plain, "AUTH=PLAIN", **DESK))  # from before the standard


@pytest.mark.parametrize(("offer", "auth"), [("AUTH LOGIN CRAM-MD5", Auth.AUTO), ("AUTH PLAIN LOGIN", Auth.LOGIN)])
def test_login_goes_in_two_steps_where_it_is_all_there_is_or_asked_for(run: Run, offer: str, auth: Auth) -> None:
    async def login(server: Dialogue) -> None:
        assert await server.line() == "AUTH LOGIN"
        server.say("334 VXNlcm5hbWU6")
        assert decoded(await server.line()) == "desk"
        server.say("334 UGFzc3dvcmQ6")
        assert decoded(await server.line()) == "s3crét"
        server.say("235 2.7.0 welcome")

    run(logged_in(login, offer, auth=auth, **DESK))


def printing(text: str, *, count: Path | None = None, code: int = 0) -> tuple[str, ...]:
    """Return a command that prints a token, and notes that it ran."""
    note = f"open({str(count)!r}, 'a').write('x');" if count else ""
    return sys.executable, "-c", f"import sys; {note} print({text!r}); sys.stderr.write('no key\\n'); sys.exit({code})"


def test_a_token_is_fetched_for_each_login(run: Run, tmp_path: Path) -> None:
    async def token(server: Dialogue) -> None:
        verb, way, secret = (await server.line()).split(" ")
        assert (verb, way, decoded(secret)) == ("AUTH", "XOAUTH2", "user=desk\1auth=Bearer t0ken\1\1")
        server.say("235 2.7.0 welcome")

    command = printing("t0ken", count=tmp_path / "ran")
    for auth in (Auth.XOAUTH2, Auth.AUTO):
        run(logged_in(token, "AUTH PLAIN XOAUTH2", username="desk", auth=auth, token_command=command))
    assert (tmp_path / "ran").read_text() == "xx"


def test_a_token_that_is_refused_is_said_so_after_the_empty_answer(run: Run) -> None:
    async def refusing(server: Dialogue) -> None:
        await server.line()
        server.say("334 eyJzdGF0dXMiOiI0MDEifQ==")
        assert await server.line() == ""
        server.say("535 5.7.8 not accepted")

    with pytest.raises(RelayError, match="refused the access token: 535 5.7.8 not accepted") as refusal:
        run(logged_in(refusing, "AUTH XOAUTH2", username="desk", auth=Auth.XOAUTH2, token_command=printing("t0ken")))
    assert "t0ken" not in str(refusal.value)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (printing("t0ken", code=3), "ended with 3: no key"),
        (printing(""), "ended with 0: no key"),
        (("/no/such/program",), "does not run: No such file or directory"),
    ],
)
def test_a_token_that_cannot_be_had_is_a_clear_error(run: Run, command: tuple[str, ...], reason: str) -> None:
    async def idle(server: Dialogue) -> None:
        """Wait."""

    with pytest.raises(RelayError, match=f"token_command, {command[0]}, {reason}") as refusal:
        run(logged_in(idle, "AUTH XOAUTH2", username="desk", auth=Auth.XOAUTH2, token_command=command))
    assert "t0ken" not in str(refusal.value)


def test_a_relay_that_cannot_log_in_is_named_so(run: Run, server: Server) -> None:
    with pytest.raises(RelayError, match="offers no AUTH"):
        run(connect(server.port, **DESK))


def test_a_way_to_log_in_that_is_not_offered_is_named_so(run: Run) -> None:
    async def idle(server: Dialogue) -> None:
        """Wait."""

    with pytest.raises(RelayError, match="does not offer to log in by PLAIN, but by CRAM-MD5, LOGIN; set auth"):
        run(logged_in(idle, "AUTH LOGIN CRAM-MD5", auth=Auth.PLAIN, **DESK))


def test_a_password_never_goes_in_the_clear_beyond_the_loopback(run: Run) -> None:
    said: list[bytes] = []

    def answer(line: bytes) -> bytes:
        said.append(line)
        return b"250-x\r\n250 AUTH PLAIN LOGIN\r\n"

    with speaking(answer) as port:
        with pytest.raises(RelayError, match="a password never goes in the clear"):
            run(connect(port, host="0.0.0.0", **DESK))  # leads here, and is not the loopback's address
    assert not any(line.upper().startswith(b"AUTH") for line in said)


def test_a_password_file_is_read_from_the_publications_folder(tmp_path: Path) -> None:
    settings = make_publication(tmp_path / "desk", "sqlite:///x.db")
    chosen = settings.relay[0].model_copy(update={"username": "desk", "password_file": "keys/relay"})
    with pytest.raises(SettingsError, match="password file of relay main"):
        credentials(settings, chosen)
    settings.path("keys/relay").write_text("s3cret\n")
    made = credentials(settings, chosen)
    assert (made.username, made.password) == ("desk", "s3cret")
    assert "s3cret" not in repr(made)
