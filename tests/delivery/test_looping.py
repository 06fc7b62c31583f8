"""Waiting in the event loop that mail is sent in."""

import asyncio
import os
import sys
from threading import Thread

import pytest

from newsletter.delivery import looping


def test_an_event_is_waited_for_no_longer_than_was_asked() -> None:
    async def wait() -> tuple[bool, bool]:
        event = asyncio.Event()
        first = await looping.happens(event, 0.01)
        event.set()
        return first, await looping.happens(event, 0)

    assert looping.run(wait()) == (False, True)


def test_a_wait_that_is_called_off_as_its_event_comes_ends() -> None:
    async def wait() -> None:
        event = asyncio.Event()
        waiting = asyncio.create_task(looping.happens(event, 10))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        event.set()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    looping.run(wait())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are left alone")
def test_threads_that_take_turns_keep_to_one_core_and_get_the_others_back() -> None:
    seen: list[set[int]] = []
    allowed = os.sched_getaffinity(0)
    with looping.one_core():
        thread = Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
    assert len(seen[0]) == 1
    assert seen[0] <= allowed
    assert os.sched_getaffinity(0) == allowed
