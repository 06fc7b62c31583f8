"""Real SMTP servers that do as a test tells them."""

import asyncio
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.lacking import lacking

#: What a script returns to have the connection cut instead of a reply.
DROP = "drop"
_ID = re.compile(rb"^Message-ID: (\S+)\r$", re.MULTILINE)
CERTIFICATE = Path(__file__).with_name("localhost.pem")


@dataclass(frozen=True)
class Received:
    """A message that the server took responsibility for, or at least had in full."""

    sender: str
    recipient: str
    data: bytes
    options: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        """Return its Message-ID."""
        found = _ID.search(self.data)
        assert found
        return found[1].decode()


Reply = Callable[[str], str | None]


def accept(_text: str) -> None:
    """Let the server accept."""


@dataclass
class Server:
    """What a server is to say: each script gets the address (of `data`: the recipient) and returns a reply or None."""

    port: int = 0
    mail: Reply = accept
    rcpt: Reply = accept
    data: Reply = accept
    connections: int = 0
    accepted: list[Received] = field(default_factory=list)
    #: the text was there in full, whatever was replied
    seen: list[Received] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    tls: set[bool] = field(default_factory=set)

    @property
    def recipients(self) -> list[str]:
        """Return whom the accepted messages were for, in order."""
        return [each.recipient for each in self.accepted]


class _Handler:
    def __init__(self, server: Server) -> None:
        self.script = server

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.script.connections += session.ssl is None or not server.tls_context
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.script.mail(address)
        if reply == DROP:
            return self._drop(server)
        if reply is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply or "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.script.rcpt(address)
        if reply == DROP:
            return self._drop(server)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        (recipient,) = envelope.rcpt_tos
        received = Received(str(envelope.mail_from), recipient, envelope.content, tuple(envelope.mail_options))
        self.script.seen.append(received)
        self.script.tls.add(session.ssl is not None)
        reply = self.script.data(recipient)
        if reply == DROP:
            return self._drop(server)
        if reply is None:
            self.script.accepted.append(received)
        return reply or "250 2.0.0 Ok: queued"

    def _drop(self, server: SMTP) -> str:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return "421 gone"


@contextmanager
def serving(
    *, starttls: bool = False, implicit: bool = False, smtputf8: bool = False, login: dict[str, str] | None = None
) -> Iterator[Server]:
    """Run a server on a free port of the loopback; it has messages in `accepted` before it replies 250."""
    server = Server()
    options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8, "hostname": "localhost"}
    if login is not None:
        options |= {"authenticator": _door(server, login), "auth_require_tls": False}
    if starttls:
        options["tls_context"] = tls_context()
    handler = _Handler(server)
    with socket.create_server(("127.0.0.1", 0)) as listener, _loop() as loop:
        server.port = listener.getsockname()[1]
        begun = asyncio.run_coroutine_threadsafe(
            loop.create_server(
                lambda: SMTP(handler, loop=loop, **options), sock=listener, ssl=tls_context() if implicit else None
            ),
            loop,
        ).result()
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(begun.close)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # connections that are cut are part of the tests
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end() -> None:
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _door(server: Server, known: dict[str, str]) -> Callable[..., AuthResult]:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        name, password = data.login.decode(), data.password.decode()
        server.users.append(name)
        return AuthResult(success=known.get(name) == password, handled=False)

    return check


def tls_context() -> ssl.SSLContext:
    """Return the server's side of TLS, for the names localhost and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def trust() -> ssl.SSLContext:
    """Return a client's side of TLS that trusts the test servers."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))


@contextmanager
def speaking(answer: Callable[[bytes], bytes | None], *, banner: bytes = b"220 test\r\n") -> Iterator[int]:
    """Run a server that says `answer(line)` to each line, and hangs up on None; yield its port."""

    class Line(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(banner)
            for line in self.rfile:
                said = answer(line)
                if said is None:
                    return
                self.wfile.write(said)

    class Threads(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Stay silent: clients that hang up are part of the tests."""

    with Threads(("127.0.0.1", 0), Line) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def sink(folder: Path) -> Iterator[int]:
    """Run Postfix's smtp-sink, which writes each message to a file in `folder`; yield its port."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")
    if program is None:
        lacking("Postfix")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)  # it does not stay root
    port = free_port()
    process = subprocess.Popen([program, "-u", "nobody", "-d", "%M.", f"127.0.0.1:{port}", "20"], cwd=folder)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port}")
