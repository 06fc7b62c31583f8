"""Signing over several cores: messages are made in threads, ahead of the connections that will carry them."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from newsletter.delivery.message import Envelope
from newsletter.delivery.reader import Reader
from newsletter.delivery.results import Change

#: An RSA signature takes some 0.4 ms in which the interpreter is free: few at a time keep every core busy.
CHUNK = 16


class Signers:
    """Threads that make messages; `count` of them, each given `chunk` readers at a time."""

    def __init__(self, make: Callable[[Reader], Envelope | Change]) -> None:
        self._make = make
        self.chunk = CHUNK
        self.count = min(os.cpu_count() or 1, 8)
        self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="signer")

    async def make(self, readers: Sequence[Reader]) -> list[Envelope | Change]:
        """Return the signed messages of some readers, or what the ledger is to get instead."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: [self._make(reader) for reader in readers])

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(cancel_futures=True)
