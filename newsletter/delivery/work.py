"""What the tasks of one send share, and how it comes to its end."""

import math
from collections.abc import Callable, Sequence

from newsletter.delivery import pulse
from newsletter.delivery.books import Books, OpenBatch
from newsletter.delivery.breaker import Breaker
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.dispatch import Dispatch
from newsletter.delivery.making import Make
from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.replies import Outcome
from newsletter.delivery.results import Policy
from newsletter.errors import NewsletterError

#: The next batch is claimed when so few copies are left, or as few as the relays can have under way at once.
LOW = 50


class Work:
    """A send in progress; `stop` says why it ended before everybody was reached, `error` what to raise for it."""

    def __init__(
        self, books: Books, there: Sequence[Carrier], make: Make, *, policy: Policy, breaker: Breaker,
        tally: pulse.Tally, ahead: bool, limit: int = 0,
    ) -> None:  # fmt: skip
        self.books, self.carriers, self.policy, self.breaker, self.tally = books, there, policy, breaker, tally
        self.dispatch = Dispatch(there, make, ahead=ahead, noted=tally.count, allow=limit or math.inf)
        self.dispatch.low = max(self._under_way(), LOW)
        #: batches with copies that have no result yet, and those whose results are being written
        self.open: dict[int, OpenBatch] = {}
        self.recording: list[OpenBatch] = []
        self.stop = Stop.NONE
        self.ask = Ask.NONE
        self.reason = ""
        self.error: NewsletterError | None = None
        #: for what fault nobody fails any more, as the issue was stopped for it while others were under way
        self.doubted: Outcome | None = None
        #: hears that no further message begins
        self.halted: Callable[[], None] = lambda: None

    def _under_way(self) -> int:
        """Return how many messages the relays can have under way at once."""
        return sum(min(each.lanes.limit, each.relay.connections * 2) for each in self.carriers)

    def halt(self, stop: Stop, reason: str, error: NewsletterError | None = None) -> None:
        """Let no further message begin; what is under way is finished."""
        if self.stop is Stop.NONE:
            self.stop, self.reason, self.error = stop, reason, error
            self.halted()
        self.dispatch.closed = True
        self.dispatch.progressed.set()
        self.dispatch.wake()

    def drained(self) -> None:
        """See whether that was the last message under way."""
        if not self.dispatch.out and self.dispatch.allow <= 0:
            self.halt(Stop.PART, "as many as were asked for have it")
        if self.dispatch.closed and not self.dispatch.out:
            self.dispatch.progressed.set()
