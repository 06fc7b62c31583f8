"""The keyboard, a key at a time. The terminal is as it was when the block ends, however it ends."""

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from newsletter.errors import Refused

#: What the keys that send several characters are called.
_ARROWS = {"A": "left", "B": "right", "C": "right", "D": "left"}
_NAMED = {f"\x1b{lead}{arrow}": key for lead in "[O" for arrow, key in _ARROWS.items()} | {"\x1b": "escape"}
_ALIKE = {"\r": "\n", "\x08": "\x7f", "\x04": "end"}
#: How long, in seconds, the rest of a key that sends several characters may take.
_PATIENCE = 0.05


def require(otherwise: str) -> None:
    """Refuse where there is no terminal to read keys from and to draw on; `otherwise` says what to do instead."""
    for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout)):
        if not stream.isatty():
            raise Refused(f"single keys need a terminal, and {name} is none; {otherwise}")
    if find_spec("termios") is None:
        raise Refused(f"single keys need a terminal of the POSIX kind, and this system has none; {otherwise}")


@contextmanager
def listening(redraw: Callable[[], None]) -> Iterator[Callable[[], str]]:
    """Yield what waits for the next key and returns it; meanwhile `redraw` follows the size of the terminal.

    A key is a character, or one of `left`, `right`, `escape`, and `end` where nobody types any more.
    """
    import termios
    import tty

    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    waiting, stale, stream = False, False, _Stream(stdin)

    def follow(number: int, _frame: Any) -> None:
        if number == signal.SIGCONT:  # the shell gave the terminal back in its own mode
            tty.setcbreak(stdin, termios.TCSADRAIN)
        nonlocal stale
        stale = not waiting
        if waiting:
            redraw()

    def read() -> str:
        nonlocal waiting, stale
        waiting = True
        try:
            if stale:
                stale = False
                redraw()
            return stream.key()
        finally:
            waiting = False

    handlers: dict[int, Any] = {signal.SIGWINCH: follow, signal.SIGCONT: follow, signal.SIGTERM: _end}
    kept = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        tty.setcbreak(stdin, termios.TCSADRAIN)  # keys typed ahead are kept
        yield read
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def _end(number: int, _frame: Any) -> None:
    raise SystemExit(128 + number)


class _Stream:
    """The bytes of a terminal, one of which can be put back."""

    def __init__(self, stdin: int) -> None:
        self.stdin, self.kept = stdin, b""

    def key(self) -> str:
        """Return the next key."""
        found = self._byte()
        if not found:
            return "end"
        if found == b"\x1b":
            return _NAMED.get((found + self._rest()).decode("ascii", "replace"), "")
        length = next((size for first, size in ((0xF0, 3), (0xE0, 2), (0xC0, 1)) if found[0] >= first), 0)
        for _ in range(length):  # UTF-8, RFC 3629 section 3
            found += self._byte()
        key = found.decode("utf-8", "replace")
        return _ALIKE.get(key, key)

    def _rest(self) -> bytes:
        """Return what follows an escape of the same key; nothing where it was the key of that name."""
        found = b""
        while len(found) < 8 and select.select([self.stdin], [], [], _PATIENCE)[0] and (more := self._byte()):
            if not found and more not in b"[O":
                self.kept = more
                return b""
            found += more
            if found != b"O" and (more.isalpha() or more == b"~"):
                break
        return found

    def _byte(self) -> bytes:
        found, self.kept = self.kept, b""
        try:
            return found or os.read(self.stdin, 1)
        except OSError:  # the terminal was hung up
            return b""
