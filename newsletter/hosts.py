"""Hosts: whose turn it is, one question at a time to each host, and a pause after it."""

import heapq
import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit


class _Placed(Protocol):
    @property
    def url(self) -> str: ...


T = TypeVar("T", bound=_Placed)
R = TypeVar("R")


@contextmanager
def asking(
    wanted: Iterable[T], ask: Callable[[T], R], *, workers: int, pause: float, wait: bool = True
) -> Iterator["queue.SimpleQueue[R | BaseException]"]:
    """Ask several hosts at once while the block runs, and yield the queue on which each result comes, or each error.

    When the block ends, nothing more is begun, and what is under way is waited for, unless nobody can `wait`.
    """
    asked = list(wanted)
    turns, brought = Hosts(asked, pause=pause), queue.SimpleQueue[R | BaseException]()

    def work() -> None:
        for each in turns:
            try:
                brought.put(ask(each))
            except BaseException as error:
                brought.put(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(asked)))]
    for thread in threads:
        thread.start()
    try:
        yield brought
    finally:
        turns.close()
        for thread in threads if wait else ():
            thread.join()


def sound(result: R | BaseException) -> R:
    """Return a result, or raise the error that came in its place."""
    if isinstance(result, BaseException):
        raise result
    return result


class Hosts(Generic[T]):
    """Hands out what is to be asked to whoever iterates; several threads may. A turn ends when the next is taken."""

    def __init__(self, wanted: Iterable[T], *, pause: float) -> None:
        self._pause = pause
        self._queues: dict[str, deque[T]] = defaultdict(deque)
        for each in wanted:
            self._queues[_host(each.url)].append(each)
        self._ready = [(0.0, host) for host in self._queues]
        heapq.heapify(self._ready)
        self._changed = threading.Condition()
        self._left = sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[T]:
        """Yield one thing after another until nothing is left to begin."""
        while (turn := self._take()) is not None:
            host, each = turn
            yield each
            self._give_back(host)

    def close(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._left = 0
            self._changed.notify_all()

    def _take(self) -> tuple[str, T] | None:
        with self._changed:
            while self._left:
                wait = self._ready[0][0] - time.monotonic() if self._ready else None
                if wait is not None and wait <= 0:
                    self._left -= 1
                    host = heapq.heappop(self._ready)[1]
                    return host, self._queues[host].popleft()
                self._changed.wait(wait)
            self._changed.notify_all()
            return None

    def _give_back(self, host: str) -> None:
        with self._changed:
            if self._queues[host]:
                heapq.heappush(self._ready, (time.monotonic() + self._pause, host))
                self._changed.notify()


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:  # a bracket without its partner; it is refused when its turn comes
        return ""
