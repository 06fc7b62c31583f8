"""Being asked to stop: what is under way is finished, the rest waits; asked twice, everything ends at once."""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Interruption:
    """SIGINT and SIGTERM as a question, for the length of a block in an event loop; other threads cannot be asked."""

    def __init__(self) -> None:
        self.asked = False
        self._act: Callable[[], None] = lambda: None
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()

    def then(self, act: Callable[[], None]) -> None:
        """Say what is to happen at the first request."""
        self._act = act

    def ask(self, number: int = signal.SIGINT) -> None:
        """Ask for the end; what happens on the signal itself. A second time at the keyboard ends the task."""
        if self.asked and number == signal.SIGINT and self._task:
            self._task.cancel()
        self.asked = True
        self._act()

    def __enter__(self) -> Self:
        """Begin to listen."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.add_signal_handler(number, self.ask, number)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Listen no more; what the second request cancelled is an interruption by then."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._loop.remove_signal_handler(number)
        if isinstance(error, asyncio.CancelledError) and self.asked:
            raise KeyboardInterrupt from error
