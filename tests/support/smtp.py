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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
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


class Dialogue:
    """The server's side of one connection, for a script that says exact bytes at exact moments."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def line(self) -> str:
        """Return the next command, empty where the client has hung up."""
        return (await self._reader.readline()).decode().rstrip("\r\n")

    async def lines(self, count: int) -> list[str]:
        """Return the next commands."""
        return [await self.line() for _ in range(count)]

    async def text(self) -> bytes:
        """Return the message as DATA carries it, the final dot left out."""
        return (await self._reader.readuntil(b"\r\n.\r\n"))[:-3]

    async def exactly(self, count: int) -> bytes:
        """Return exactly so many bytes."""
        return await self._reader.readexactly(count)

    async def chunk(self) -> bytes:
        """Return the message of the next command, which must be BDAT, the last."""
        verb, size, last = (await self.line()).split(" ")
        assert (verb, last) == ("BDAT", "LAST")
        return await self.exactly(int(size))

    def say(self, *replies: str) -> None:
        """Say replies in one packet."""
        self.raw("".join(f"{reply}\r\n" for reply in replies).encode())

    def raw(self, data: bytes) -> None:
        """Say bytes."""
        self._writer.write(data)

    async def slowly(self, data: bytes) -> None:
        """Say bytes one at a time, each in a packet of its own."""
        for number in range(len(data)):
            self.raw(data[number : number + 1])
            await self._writer.drain()
            await asyncio.sleep(0)

    async def silence(self, seconds: float = 0.03) -> None:
        """Make sure that the client says nothing meanwhile."""
        with suppress(TimeoutError):
            early = await asyncio.wait_for(self._reader.read(100), seconds)
            raise AssertionError(f"said too early: {early!r}")

    async def hello(self, *offers: str, banner: str = "220 test") -> None:
        """Greet, and reply to EHLO."""
        self.say(banner)
        assert (await self.line()).startswith("EHLO ")
        self.say("250-test", *(f"250-{offer}" for offer in offers), "250 OK")

    async def start_tls(self) -> None:
        """Speak TLS from here on."""
        await self._writer.start_tls(tls_context())

    def finish(self) -> None:
        """Say that no more is said, and keep the connection."""
        self._writer.write_eof()

    def hang_up(self) -> None:
        """End the connection in good order, after what was said."""
        self._writer.close()

    def reset(self) -> None:
        """End the connection with a reset, in whose wake the client loses what it had not read."""
        self._writer.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        self._writer.transport.abort()


Script = Callable[[Dialogue], Awaitable[None]]


@asynccontextmanager
async def scripted(*scripts: Script) -> AsyncIterator[int]:
    """Run a server that follows one script for each connection, the last for all others; yield its port.

    A script that fails, or has not ended when the client has left, fails the test.
    """
    begun: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = scripts[min(len(begun), len(scripts) - 1)]
        task = asyncio.ensure_future(_follow(script, Dialogue(reader, writer), writer))
        begun.append(task)
        await asyncio.wait([task])

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(asyncio.gather(*begun), 5)
    finally:
        for task in begun:
            task.cancel()
        server.close()
        await asyncio.gather(*begun, return_exceptions=True)


async def _follow(script: Script, dialogue: Dialogue, writer: asyncio.StreamWriter) -> None:
    try:
        await script(dialogue)
    finally:
        writer.close()


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def sink(folder: Path, *options: str) -> Iterator[int]:
    """Run Postfix's smtp-sink, which writes each message to a file in `folder` and does as told; yield its port."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")
    if program is None:
        lacking("Postfix")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)  # it does not stay root
    port = free_port()
    command = [program, "-u", "nobody", "-d", "%M.", *options, f"127.0.0.1:{port}", "20"]
    process = subprocess.Popen(command, cwd=folder)
    try:
        awaited(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def awaited(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port}")
