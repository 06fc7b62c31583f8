"""Child processes that share what this one has prepared, do one thing, and do not outlive it."""

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # prctl(2)
_log = logging.getLogger(__name__)


def alone() -> bool:
    """Return whether this process may become two: where the kernel ends one with the other, and no thread is torn."""
    single = threading.active_count() == 1 and threading.current_thread() is threading.main_thread()
    return sys.platform == "linux" and single


def fork(act: Callable[[], None]) -> int:
    """Let a child do something, and nothing after that; return its id. Signals of a terminal are this one's to hear."""
    parent, pid = os.getpid(), os.fork()
    if pid:
        return pid
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if os.getppid() == parent:
            act()
        code = 0
    except Exception:
        _log.exception("a process beside the sender failed")
    finally:
        os._exit(code)


def end(pid: int, *, until: float = 0) -> None:
    """Wait for a child's end up to a moment of the monotonic clock, and make it end then."""
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
