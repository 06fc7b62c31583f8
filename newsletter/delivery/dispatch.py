"""Claimed copies on their way to the relays: who may take which, and what becomes of those that were taken."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from newsletter.delivery import carriers, results
from newsletter.delivery.books import OpenBatch
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.making import Make
from newsletter.delivery.message import Envelope
from newsletter.delivery.reader import Reader
from newsletter.delivery.results import Change
from subscribers import addresses
from subscribers.errors import BadAddress

#: For so many seconds the ledger's word counts that a copy may go out: promise 6, for messages not yet on the wire.
FRESH = 0.1
#: A copy whose every lane rests for longer than this many seconds goes back to the ledger until then.
LONG = 20.0
#: How long a relay that is ahead of its weight waits for the others, in seconds.
TURN = 0.02
#: So many copies at most are asked about, and signed, ahead of the connections.
AHEAD = 128
#: And so many of each slow lane.
SLOW = 4
#: So many messages are made in one go: what makes them is at hand for the second, and takes half as long.
TOGETHER = 16


@dataclass(slots=True, eq=False)
class Copy:
    """One reader's copy between its claim and its result; `asked` is when the ledger last let it go.

    `unfit` are the relays that lack what it needs.
    """

    reader: Reader
    batch: OpenBatch
    domain: str
    asked: float
    made: Envelope | Change | None = None
    begun: bool = False
    signing: bool = False
    barred: str = ""
    unfit: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Return the name of the line in which it waits for a slow lane, or for a relay that can carry it."""
        return " ".join((self.domain, *self.unfit))


def domain_of(email: str) -> str:
    """Return an address's domain as lanes are named: in ASCII, like the key that addresses are compared by."""
    domain = email.rpartition("@")[2].lower()
    if domain.isascii():
        return domain
    try:
        return addresses.domain(domain)
    except BadAddress:  # whoever makes the message says so
        return domain


class Dispatch:
    """The queue of claimed copies; `out` are those that a connection has taken."""

    def __init__(
        self, there: Sequence[Carrier], make: Make, *, ahead: bool, noted: Callable[[Change], None],
        allow: float = math.inf,
    ) -> None:  # fmt: skip
        self.closed = False
        self.low = 0
        self.out: dict[int, Copy] = {}
        self.stale = asyncio.Event()
        self.progressed = asyncio.Event()
        self.unsigned = asyncio.Event()
        self.allow = allow
        self._queue: deque[Copy] = deque()
        self._parked: dict[str, deque[Copy]] = {}
        self._carriers, self._make, self._ahead, self._noted = there, make, ahead, noted
        self._changed: set[asyncio.Future[None]] = set()
        self._takes = 0
        self._now = time.monotonic

    def __len__(self) -> int:
        """Return how many copies nobody has taken, those of slow lanes left out."""
        return len(self._queue)

    @property
    def parked(self) -> int:
        """Return how many copies wait for a slow lane."""
        return sum(map(len, self._parked.values()))

    def add(self, batches: Iterable[OpenBatch], *, asked: float) -> None:
        """Take claimed batches in."""
        for batch in batches:
            self._queue.extend(Copy(reader, batch, domain_of(reader.email), asked) for reader in batch.readers)
        self.unsigned.set()
        self.wake()

    def take(self, carrier: Carrier) -> Envelope | None:
        """Return the next message for a relay, which may go out right now; None where there is none at this moment."""
        now = self._now()
        while not self.closed and self.allow > 0 and (copy := self._next(carrier, now)):
            if copy.barred:
                self.note(copy, results.skipped(copy.barred, resent=copy.reader.resent))
                continue
            made = copy.made or self._made(copy)
            if isinstance(made, Change):
                self.note(copy, made)
                continue
            self.out[copy.reader.delivery_id] = copy
            self._takes += 1
            self.allow -= 1
            if len(self._queue) == self.low:
                self.progressed.set()
            carrier.took(copy.domain, now)
            if len(self._carriers) > 1 and self._takes % 8 == 0:
                self.wake()  # a relay that waits for its turn may have it now
            return made
        return None

    def _made(self, copy: Copy) -> Envelope | Change:
        """Return the copy's message, with those made that follow it."""
        for following in islice(self._queue, TOGETHER - 1):
            following.made = following.made or self._make(following.reader)
        copy.made = self._make(copy.reader)
        return copy.made

    def _next(self, carrier: Carrier, now: float) -> Copy | None:
        if carrier.pause(now) > 0:
            return None
        for name, line in self._parked.items():
            if self._wait(line[0], carrier, now) == 0:
                copy = line.popleft()
                if not line:
                    del self._parked[name]
                return copy
        while self._queue:
            copy = self._queue[0]
            if self._wait(copy, carrier, now) == 0:
                return self._queue.popleft()
            if carrier.pause(now, copy.domain) == 0 and not copy.unfit:
                return None
            self._parked.setdefault(copy.line, deque()).append(self._queue.popleft())
        self.progressed.set()  # what is left waits for slow lanes: others may be claimed meanwhile
        return None

    def _wait(self, copy: Copy, carrier: Carrier, now: float) -> float:
        """Return in how many seconds a relay may carry a copy, by its lane, the ledger, the signer and its weight."""
        wait = carrier.pause(now, copy.domain)
        if copy.barred or wait > 0:
            return 0.0 if copy.barred else wait
        there = self._carriers
        if copy.unfit:
            there = carriers.fit(there, copy.unfit) or there  # without one it is tried again, to be settled
            if carrier not in there:
                return math.inf
        age = now - copy.asked
        if age > FRESH * 0.75:
            self.stale.set()
        if age > FRESH or (self._ahead and copy.made is None):
            self.unsigned.set()
            return math.inf  # the ledger, or the signer, wakes whoever waits
        return 0.0 if carriers.may_take(carrier, there, copy.domain, now) else TURN

    def pause(self, carrier: Carrier) -> float:
        """Return in how many seconds it is worth asking again for a relay's next copy; infinite: when woken."""
        now = self._now()
        if not carrier.open:
            return math.inf
        if (wait := carrier.pause(now)) > 0:
            return wait
        first = (line[0] for line in (self._queue, *self._parked.values()) if line)
        return min((self._wait(copy, carrier, now) for copy in first), default=math.inf)

    def release(self) -> Iterator[tuple[Copy, float]]:
        """Give up copies for whose domain each open relay's lane rests long; yield each with the seconds until then."""
        now = self._now()
        for name, line in list(self._parked.items()):
            there = carriers.fit(self._carriers, line[0].unfit)
            rest = min((carrier.pause(now, line[0].domain) for carrier in there), default=math.inf)
            if LONG < rest < math.inf:
                for copy in self._parked.pop(name):
                    yield copy, rest

    def note(self, copy: Copy, change: Change, *, relay: str = "") -> None:
        """Keep what became of a copy, for its batch's record."""
        batch, key = copy.batch, copy.reader.delivery_id
        batch.left -= key not in batch.changes
        batch.changes[key] = change
        if relay:
            batch.relays[key] = relay
        self._noted(change)
        if batch.left == 0:
            self.progressed.set()

    def put_back(self, copy: Copy) -> None:
        """Let a copy that was taken go out by another way, before the others."""
        self.out.pop(copy.reader.delivery_id, None)
        copy.begun = False
        self.allow += 1
        self._queue.appendleft(copy)
        self.wake()

    def asked_about(self) -> list[Copy]:
        """Return the copies that will go out while the next answer is fresh, by how many did since the last."""
        count = min(max(3 * self._takes, 2 * len(self._carriers), 8), AHEAD)
        self._takes = 0
        return list(self._first(count))

    def unmade(self, count: int) -> list[Copy]:
        """Return the next copies that have no message yet, marked as being made."""
        found = [copy for copy in self._first(AHEAD) if copy.made is None and not copy.signing][:count]
        for copy in found:
            copy.signing = True
        return found

    def _first(self, count: int) -> Iterator[Copy]:
        """Return the next copies of the queue, after the first of each slow lane."""
        slow = chain.from_iterable(islice(line, SLOW) for line in self._parked.values())
        return chain(islice(slow, AHEAD), islice(self._queue, count))

    def wake(self) -> None:
        """Let every connection that waits look again."""
        waiting, self._changed = self._changed, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def changed(self, seconds: float) -> bool:
        """Wait until something changed, or so long; return whether it did."""
        future = asyncio.get_running_loop().create_future()
        self._changed.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._changed.discard(future)
        return future.done()
