"""How far a send is, told a few times a second to whoever watches."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from newsletter.delivery.carriers import Carrier
from newsletter.delivery.lanes import LaneView, together
from newsletter.delivery.ledger import WAITING
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.results import Change

#: So often is told, in seconds; and the rate is that of the newest so many times.
EVERY = 0.25
_REMEMBERED = 40


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """A moment of a send: `accounted` of the `audience` are done; `rate` in messages/s, `left` in seconds, if known."""

    accounted: int
    audience: int
    sent: int
    rate: float
    left: float | None
    lanes: tuple[LaneView, ...] = ()
    troubles: tuple[str, ...] = ()


Progress = Callable[[Pulse], None]


@dataclass(kw_only=True)
class Tally:
    """The counts of a send; `came_back` says that somebody waits again."""

    audience: int
    accounted: int
    sent: int = 0
    came_back: bool = False
    #: the lanes of processes that send beside this one
    beside: dict[int, list[LaneView]] = field(default_factory=dict)
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def count(self, change: Change) -> None:
        """Count what became of one copy."""
        if change.state is DeliveryState.SENT:
            self.sent += 1
        if change.state not in WAITING:
            self.accounted += 1
        elif change.state is DeliveryState.PENDING:
            self.came_back = True

    def take_back(self, change: Change) -> None:
        """Take back what was counted for a copy that waits again."""
        self.accounted -= change.state not in WAITING
        self.came_back = True

    def skip(self, count: int) -> None:
        """Count copies that a claim left out."""
        self.accounted += count

    def now(self, there: Sequence[Carrier]) -> Pulse:
        """Return how it stands."""
        moment = time.monotonic()
        self._marks.append((moment, self.accounted))
        since, before = self._marks[0]
        rate = (self.accounted - before) / (moment - since) if moment > since else 0.0
        left = (self.audience - self.accounted) / rate if rate > 0 else None
        own = [lane for each in there for lane in each.lanes.shown(moment)]
        lanes = tuple(together([*own, *chain.from_iterable(self.beside.values())]))
        troubles = tuple(str(each.trouble) for each in there if each.trouble)
        return Pulse(
            accounted=self.accounted, audience=self.audience, sent=self.sent, rate=rate, left=left, lanes=lanes,
            troubles=troubles,
        )  # fmt: skip


async def beat(tally: Tally, there: Sequence[Carrier], progress: Progress | None) -> None:
    """Tell how it stands until cancelled, and once more then."""
    if progress is None:
        return
    try:
        while True:
            progress(tally.now(there))
            await asyncio.sleep(EVERY)
    finally:
        progress(tally.now(there))
