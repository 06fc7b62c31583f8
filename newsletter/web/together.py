"""What many ask for at once, done in one transaction: each hears of it once it is committed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

Wish = TypeVar("Wish")


@dataclass
class _Waiting(Generic[Wish]):
    wish: Wish
    done: bool = False
    error: Exception | None = None


class Together(Generic[Wish]):
    """Does wishes in the order in which they come; while one lot is written, the next gathers.

    A commit waits for the disk, and a database of one writer lets the others wait: alone, each would pay for both.
    """

    def __init__(self, do: Callable[[Sequence[Wish]], object], *, most: int = 64) -> None:
        self._do, self._most = do, most
        self._gathered: list[_Waiting[Wish]] = []
        self._gathering, self._writing = Lock(), Lock()

    def ask(self, wish: Wish) -> None:
        """Return once the wish is done for good; what keeps a lot from being done is raised to each of it."""
        mine = _Waiting(wish)
        with self._gathering:
            self._gathered.append(mine)
        while not mine.done:
            with self._writing:  # whoever gets the turn writes for all that wait
                if not mine.done:
                    self._write()
        if mine.error:
            raise mine.error

    def _write(self) -> None:
        with self._gathering:
            lot, self._gathered = self._gathered[: self._most], self._gathered[self._most :]
        error: Exception | None = None
        try:
            self._do([each.wish for each in lot])
        except Exception as raised:
            error = raised
        for each in lot:
            each.error, each.done = error, True
