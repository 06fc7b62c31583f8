"""A quick mail server in a process of its own, which writes each message down before it says 250."""

import asyncio
import multiprocessing
import os
import re
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ID = re.compile(rb"^Message-ID: (\S+)\r$", re.MULTILINE)
_RECIPIENT = re.compile(rb"<([^>]*)>")
_REPLIES = {
    b"EHLO": b"250-logbook\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"DATA": b"354 Go on\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}


class Logbook:
    """What the server on `port` took, in a file that outlives whoever sent it."""

    def __init__(self, port: int, path: Path) -> None:
        self.port = port
        self._path = path
        self._read = 0
        self._seen = 0

    def count(self) -> int:
        """Return how many messages it has by now."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            while block := file.read(1 << 20):
                self._read += len(block)
                self._seen += block.count(b"\n")
        return self._seen

    def copies(self) -> Counter[tuple[str, str]]:
        """Return how often it has each message of each recipient, by address and Message-ID."""
        lines = (line.split(" ") for line in self._path.read_text().splitlines())
        return Counter((address, message_id) for address, message_id in lines)


@contextmanager
def serving(path: Path, *, most: int = 1000) -> Iterator[Logbook]:
    """Run the server on a free port of the loopback; it has `most` connections at once, and says 421 to others."""
    path.touch()
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, path, most), daemon=True)
        process.start()
        try:
            yield Logbook(listener.getsockname()[1], path)
        finally:
            process.kill()
            process.join()


def _serve(listener: socket.socket, path: Path, most: int) -> None:
    asyncio.run(_forever(listener, os.open(path, os.O_WRONLY | os.O_APPEND), most))


async def _forever(listener: socket.socket, file: int, most: int) -> None:
    there: set[_Conversation] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Conversation(file, there, most), sock=listener)
    await server.serve_forever()


class _Conversation(asyncio.Protocol):
    """One connection; `_text` while a message is awaited."""

    def __init__(self, file: int, there: set["_Conversation"], most: int) -> None:
        self._file, self._there, self._most = file, there, most
        self._rest = b""
        self._recipient = b""
        self._text = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._there) >= self._most:
            transport.write(b"421 4.7.0 too many connections from you\r\n")
            transport.close()
            return
        self._there.add(self)
        transport.write(b"220 logbook\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        self._there.discard(self)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        said = []
        while (end := self._rest.find(b"\r\n.\r\n" if self._text else b"\r\n")) >= 0:
            part, self._rest = self._rest[: end + 2], self._rest[end + (5 if self._text else 2) :]
            said.append(self._took(part) if self._text else self._told(part))
        self._transport.write(b"".join(said))

    def _told(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            found = _RECIPIENT.search(line)
            assert found
            self._recipient = found[1]
        self._text = verb == b"DATA"
        return _REPLIES[verb]

    def _took(self, text: bytes) -> bytes:
        found = _ID.search(text)
        assert found
        os.write(self._file, b"%s %s\n" % (self._recipient, found[1]))  # one write: no line is torn
        self._text = False
        return b"250 2.0.0 Ok: queued\r\n"
