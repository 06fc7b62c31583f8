"""Signing beside the loop: scribes put proofs under hashes while the loop makes messages and sends others.

A scribe is a child process, as the arithmetic of a key takes longer than all the rest of a message: so it keeps every
core busy and holds up nobody. It hears hashes and answers with their proofs, in the same order, and does nothing else.
"""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from threading import Thread

from newsletter.delivery import children
from newsletter.delivery.dkim import Signer
from newsletter.delivery.making import Make
from newsletter.delivery.message import Envelope
from newsletter.delivery.reader import Reader
from newsletter.delivery.results import Change

#: So many messages a scribe is given at a time: enough to be worth a call, and few enough to be back soon.
CHUNK = 16
#: How long a scribe may take for them, in seconds; one that is well needs some hundredths.
PATIENCE = 60.0
#: All senders of an issue together have no more scribes than this, but each has one.
MOST = 8
_READ = 1 << 16
_log = logging.getLogger(__name__)


class Scribe:
    """One that signs, as the loop knows it; should a child be gone, a thread takes its place."""

    def __init__(self, make: Make, signer: Signer, stack: ExitStack) -> None:
        self._make, self._signer, self._stack = make, signer, stack
        self._line = stack.enter_context(_child(signer) if children.alone() else _thread(signer))

    async def make(self, readers: Sequence[Reader]) -> list[Envelope | Change]:
        """Return the signed messages of some readers, or what the ledger is to get instead."""
        made = [self._make.draft(reader) for reader in readers]
        drafts = [each for each in made if isinstance(each, Envelope)]
        proofs = await self._proofs(b"".join([each.unsigned.hashes for each in drafts if each.unsigned]))
        each_has = self._signer.given
        for place, draft in enumerate(drafts):
            draft.sign(proofs[place * each_has : (place + 1) * each_has])
        return made

    async def _proofs(self, hashes: bytes) -> bytes:
        try:
            return await self._answer(hashes)
        except OSError as error:
            _log.warning("a process that signs is gone (%s); a thread takes its place", error or "it is too slow")
            self._line = self._stack.enter_context(_thread(self._signer))
            return await self._answer(hashes)

    async def _answer(self, hashes: bytes) -> bytes:
        loop, proofs = asyncio.get_running_loop(), b""
        length = len(hashes) // self._signer.asked * self._signer.given
        async with asyncio.timeout(PATIENCE):
            await loop.sock_sendall(self._line, hashes)
            while len(proofs) < length:
                more = await loop.sock_recv(self._line, _READ)
                if not more:
                    raise ConnectionError("it has ended")
                proofs += more
        return proofs


@contextmanager
def scribes(make: Make, senders: int) -> Iterator[list[Scribe]]:
    """Have the scribes of one of so many senders for the length of the block; none where the desk does not sign."""
    signer, count = make.signer, max(min(os.cpu_count() or 1, MOST) // senders, 1)
    with ExitStack() as stack:
        yield [Scribe(make, signer, stack) for _ in range(count)] if signer else []


@contextmanager
def _child(signer: Signer) -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    pid = children.fork(lambda: _serve_alone(theirs, signer))
    theirs.close()
    try:
        yield _ready(ours)
    finally:
        ours.close()
        children.end(pid)


@contextmanager
def _thread(signer: Signer) -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    thread = Thread(target=_serve, args=(theirs, signer), name="scribe")
    thread.start()
    try:
        yield _ready(ours)
    finally:
        ours.close()
        thread.join()


def _ready(line: socket.socket) -> socket.socket:
    line.setblocking(False)
    return line


def _serve_alone(line: socket.socket, signer: Signer) -> None:
    """Serve in a child, which has nothing open but its line, and leaves alone the memory that it shares."""
    gc.disable()
    os.closerange(3, line.fileno())
    os.closerange(line.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    _serve(line, signer)


def _serve(line: socket.socket, signer: Signer) -> None:
    """Answer hashes with proofs until nobody asks any more."""
    rest = b""
    with closing(line), suppress(OSError):
        while asked := line.recv(_READ):
            rest += asked
            whole = len(rest) - len(rest) % signer.asked
            line.sendall(signer.prove(rest[:whole]))
            rest = rest[whole:]
