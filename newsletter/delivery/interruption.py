"""Being asked to stop: the message in flight is finished, the rest waits."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Whether somebody asked; a second time at the keyboard stops at once."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int = signal.SIGINT, _frame: FrameType | None = None) -> None:
        """Ask for the end; what happens on the signal itself."""
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn SIGINT and SIGTERM into a question for the length of the block; other threads cannot be asked."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    former = {number: signal.signal(number, interruption.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
