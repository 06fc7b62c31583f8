"""A long way to a server: `python bench/delay.py PORT [--one-way 0.025]` prints the port that leads there.

A proxy on the loopback in a process of its own, for kernels without netem. Each byte arrives so many seconds after it
was sent, in order, and as many may be on the way at once as the window of a good connection holds.
"""

import argparse
import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvloop

#: What a connection may have on its way, in bytes: what Linux lets a receiver's window grow to by itself.
WINDOW = 6 << 20


class End(asyncio.Protocol):
    """One end of a connection: what comes in goes out at the other, later."""

    def __init__(self, seconds: float) -> None:
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None
        self._seconds, self._loop = seconds, asyncio.get_running_loop()
        self._way: deque[tuple[float, bytes | None]] = deque()  # when it arrives; b"" says no more, None hangs up
        self._held = 0
        self._timer: asyncio.TimerHandle | None = None
        self._blocked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Let bytes begin their way; where too many are on it, those behind them wait at the sender."""
        self._held += len(data)
        self._begin(data)
        if self._held > WINDOW and self.transport:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """Let the word that no more comes follow the bytes."""
        self._begin(b"")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the other end know, after the bytes."""
        self._begin(None)

    def _begin(self, data: bytes | None) -> None:
        self._way.append((self._loop.time() + self._seconds, data))
        if self._timer is None and not self._blocked:
            self._timer = self._loop.call_later(self._seconds, self._arrive)

    def _arrive(self) -> None:
        """Hand over what is due, and wait for the next."""
        self._timer = None
        other = self.other and self.other.transport
        now = self._loop.time() + 0.0005  # the loop's clock goes by milliseconds
        while self._way and self._way[0][0] <= now and not self._blocked:
            _, data = self._way.popleft()
            if other is None or other.is_closing():
                continue
            if data is None:
                other.close()
            elif not data:
                other.write_eof()
            else:
                other.write(data)
                self._held -= len(data)
        if self._held <= WINDOW and self.transport and not self.transport.is_closing():
            self.transport.resume_reading()
        if self._way and not self._blocked:
            self._timer = self._loop.call_later(max(self._way[0][0] - self._loop.time(), 0), self._arrive)

    def pause_writing(self) -> None:
        """Hear that the far side takes no more for now: what was to arrive here waits."""
        if self.other:
            self.other._blocked = True

    def resume_writing(self) -> None:
        """Hear that it goes on."""
        if self.other:
            self.other._blocked = False
            if self.other._timer is None:
                self.other._arrive()


async def serve(port: int, seconds: float) -> None:
    """Lead connections to a port of the loopback, and print where they are taken."""
    loop = asyncio.get_running_loop()
    kept: set[asyncio.Task[None]] = set()

    class Near(End):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            task = loop.create_task(self.connect())
            kept.add(task)
            task.add_done_callback(kept.discard)

        async def connect(self) -> None:
            _, far = await loop.create_connection(lambda: End(seconds), "127.0.0.1", port)
            self.other, far.other = far, self

    server = await loop.create_server(lambda: Near(seconds), "127.0.0.1", 0, backlog=200)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def away(port: int, *, one_way: float = 0.025) -> Iterator[int]:
    """Yield a port that leads to another, over a long way."""
    command = [sys.executable, str(Path(__file__)), str(port), "--one-way", str(one_way)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("port", type=int)
    given.add_argument("--one-way", type=float, default=0.025, metavar="SECONDS")
    asked = given.parse_args()
    uvloop.run(serve(asked.port, asked.one_way))
