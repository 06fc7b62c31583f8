"""The bytes of one connection: replies come in the order they were asked for, and none may take too long."""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import cast

from newsletter.delivery.smtp.parser import NoReply, Parser, Reply
from newsletter.delivery.smtp.timeouts import Timeouts


class Gone(Exception):
    """The connection has ended; `said` is the 421 with which the server announced it, where it did."""

    def __init__(self, reason: str, said: Reply | None = None) -> None:
        super().__init__(reason)
        self.said = said


class Wire(asyncio.Protocol):
    """A connection; `over` is done once it has ended, and `end` says how."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.end: Gone | None = None
        self.secure = ""
        #: how many bytes were handed over to go out
        self.written = 0
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self.over: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport
        self._parser = Parser()
        self._replies: deque[Reply] = deque()
        self._owed = 1  # the greeting
        self._waiter: asyncio.Future[None] | None = None
        self._stuck = False  # bytes wait in this process, for the network to take them
        self._waiting = 0  # how many, when last looked at
        self._patience = self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._settle_on(cast(asyncio.Transport, transport))
        transport.get_extra_info("socket").setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._timer = self._loop.call_later(self.timeouts.pulse, self._look)

    def _settle_on(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        self.secure = tls.version() if tls else ""
        # So that `_stuck` is about the last byte. The TLS transport pauses at the mark, the plain one above it.
        transport.set_write_buffer_limits(high=1 if tls else 0, low=0)

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Speak TLS from here on; what was said in the clear after STARTTLS ends the connection (RFC 3207 4.2)."""
        if self._parser.within or self._replies:
            raise self.fail("said something in the clear where TLS was to begin")
        if self.end:
            raise self.end
        secured = await self._loop.start_tls(
            self._transport, self, context, server_hostname=host, ssl_handshake_timeout=self.timeouts.command
        )
        assert secured is not None
        self._settle_on(secured)

    def send(self, parts: Sequence[bytes], *, replies: int) -> None:
        """Let bytes go out that are due so many replies."""
        if self.end is None:
            self._owed += replies
            data = b"".join(parts)
            self.written += len(data)
            self._transport.write(data)  # not writelines, which pauses nobody in some releases (CVE-2024-12254)

    def here(self) -> Reply | None:
        """Return the next reply if it is here."""
        return self._replies.popleft() if self._replies else None

    async def reply(self, patience: float) -> Reply:
        """Return the next reply, which may take so many seconds from now, or from when the last byte has left."""
        while not self._replies:
            if self.end:
                raise self.end
            self._patience = patience
            self._deadline = self._loop.time() + (self.timeouts.text if self._stuck else patience)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._replies.popleft()

    async def ask(self, line: str) -> Reply:
        """Return the reply to a command."""
        self.send((f"{line}\r\n".encode(),), replies=1)
        return await self.reply(self.timeouts.command)

    def left(self, mark: int) -> bool:
        """Return whether the first `mark` bytes left this process, True where that cannot be told."""
        if not self._stuck or self.secure:
            return True
        waiting = self._waiting if self.end else self._transport.get_write_buffer_size()
        return mark <= self.written - max(waiting, 1)

    def fail(self, reason: str, said: Reply | None = None) -> Gone:
        """End the connection at once, and return how it ended: so, if it had not, or not with a 421, before."""
        if self.end is None:
            self._waiting = self._transport.get_write_buffer_size() if self._stuck else 0
            self._ended(reason, said)
            self._transport.abort()
        elif said and not self.end.said:
            self.end = Gone(reason, said)
        assert self.end is not None
        return self.end

    async def close(self) -> None:
        """End the connection in good order, and return once nothing of it is left."""
        try:
            if self.end is None:
                self._ended("was closed")
                self._transport.close()
            await self._lost
        finally:
            self._transport.abort()

    def _ended(self, reason: str, said: Reply | None = None) -> None:
        self.end = Gone(reason, said)
        if self._timer:
            self._timer.cancel()
        if not self.over.done():
            self.over.set_result(None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _look(self) -> None:
        """Look at the clock."""
        now = self._loop.time()
        if self._stuck:
            waiting = self._transport.get_write_buffer_size()
            if waiting != self._waiting:
                self._waiting = waiting
                self._deadline = now + self.timeouts.text
        if self._waiter and now >= self._deadline:
            self.fail(f"timed out: nothing for {self.timeouts.text if self._stuck else self._patience:g} s")
        else:
            self._timer = self._loop.call_later(self.timeouts.pulse, self._look)

    def data_received(self, data: bytes) -> None:
        """Take what the server said."""
        if self.end:
            return
        try:
            for reply in self._parser.feed(data):
                if not self._owed:
                    self.fail(f"said what nobody asked for: {reply}", reply if reply.code == 421 else None)
                    return
                self._owed -= 1
                self._replies.append(reply)
        except NoReply as error:
            self.fail(f"said what is no SMTP reply: {error}")
        if self._replies:
            self._wake()

    def eof_received(self) -> None:
        """Hear that the server says no more."""
        self.fail("hung up")

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is gone."""
        if self.end is None:
            self._waiting = 0  # the transport has thrown its bytes away, and nobody knows how many
            self._ended(f"hung up: {exc}" if exc else "hung up")
        if not self._lost.done():
            self._lost.set_result(None)

    def pause_writing(self) -> None:
        """Hear that bytes wait in this process."""
        self._stuck = True
        self._waiting = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """Hear that all bytes have left."""
        if self.end is None:
            self._stuck = False
            self._deadline = self._loop.time() + self._patience
