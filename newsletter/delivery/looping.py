"""The event loop that mail is sent in: the fastest that is there."""

import asyncio
import ctypes
import gc
import os
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

Result = TypeVar("Result")

#: How long the interpreter lets one thread run while another waits, in seconds: the ledger's thread has short work.
_SWITCH = 0.0005
#: After so many objects more the interpreter looks for garbage that holds on to itself; a send makes hardly any.
_GARBAGE = 20_000


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what a coroutine comes to; where the caller's thread has a loop of its own, it runs in another one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(work)
    with ThreadPoolExecutor(1, thread_name_prefix="mail") as thread:
        return thread.submit(_run, work).result()


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and those that it begins, on the core where it is, for the length of the block.

    Threads of one interpreter take turns. On several cores each turn begins without what the last one had at hand, and
    the relay next door is put off its core: a send took a tenth longer. Other systems than Linux are left alone.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    with suppress(OSError):  # a system that tells no core: sched_getcpu(3)
        os.sched_setaffinity(0, {ctypes.CDLL(None).sched_getcpu()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, at most so many seconds; return whether it is.

    `asyncio.wait_for` is not used: until Python 3.12 it drops a cancellation that comes together with the event.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        from uvloop import new_event_loop
    except ImportError:  # it is not made for every system
        from asyncio import new_event_loop  # type: ignore[assignment]
    switch, garbage = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(_SWITCH)
    gc.set_threshold(_GARBAGE, *garbage[1:])
    gc.freeze()  # what the program is made of need not be looked through for garbage again and again
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.unfreeze()
        gc.set_threshold(*garbage)
        sys.setswitchinterval(switch)
