"""One sender at work on one issue: batches are claimed, sent over every relay's connections, and recorded."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from newsletter.delivery import looping, pulse, results
from newsletter.delivery.answers import Answers
from newsletter.delivery.books import OpenBatch
from newsletter.delivery.crew import Crew
from newsletter.delivery.dispatch import Copy
from newsletter.delivery.interruption import Interruption
from newsletter.delivery.ledger import Answer
from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.pulse import Progress
from newsletter.delivery.replies import lost
from newsletter.delivery.seats import Seat
from newsletter.delivery.signing import CHUNK, Scribe
from newsletter.delivery.work import Work
from newsletter.errors import DatabaseError, NewsletterError, RelayError

#: How often a sender says that it lives, in seconds: well within the lease.
HEARTBEAT = 20.0
#: How often it looks whether a person asks something of it, and whether slow lanes hold copies for long, in seconds.
LOOK = 0.4
#: How often it counts complaints, in seconds: they come by mail and by webhooks, while others are still sent to.
HEARING = 3.0
#: So many batches at most are open at once; more than a few are where slow lanes hold copies of each.
OPEN = 20


class Run:
    """The tasks of a send."""

    def __init__(
        self, work: Work, *, progress: Progress | None = None, scribes: Sequence[Scribe] = (), wait: bool = False,
        crew: Crew | None = None,
    ) -> None:  # fmt: skip
        self.work, self.progress, self.scribes, self.wait = work, progress, scribes, wait
        self.crew = crew or Crew()
        self.books, self.dispatch, self.tally = work.books, work.dispatch, work.tally
        self.answers = Answers(work)
        self._exhausted = False

    async def go(self, interruption: Interruption | None) -> None:
        """Send until nobody is due, somebody asks to stop, or nothing works any more; every result is recorded."""
        if interruption:
            interruption.then(lambda: self.work.halt(Stop.INTERRUPTED, "stopped before its end"))
        try:
            async with asyncio.TaskGroup() as tasks:
                seats = [
                    tasks.create_task(Seat(self.work, self.answers, each).keep())
                    for each in self.work.carriers
                    for _ in range(each.relay.connections)
                ]
                others = [tasks.create_task(each) for each in self._helpers()]
                await self._turns()
                self.dispatch.closed = True
                self.dispatch.wake()
                await asyncio.wait(seats)
                await self.crew.joined()
                for each in others:
                    each.cancel()
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            await self._put_down()

    def _helpers(self) -> list[Coroutine[Any, Any, None]]:
        made = [
            self._live(),
            self._listen(),
            self._hear_readers(),
            pulse.beat(self.tally, self.work.carriers, self.progress),
        ]
        made += [self.crew.listen(mate, self.answers, self.tally) for mate in self.crew.mates]
        made += [self._sign(scribe) for scribe in self.scribes]
        return made

    async def _turns(self) -> None:
        """Record what is finished and claim what comes next, until there is neither."""
        while True:
            self.dispatch.progressed.clear()
            done = [batch for batch in self.work.open.values() if batch.left == 0]
            want = self._want()
            if want or (done and (self._exhausted or self.dispatch.closed)):
                await self._turn(done, want)
            elif (self.dispatch.closed and not self.dispatch.out) or (not self.work.open and not await self._waited()):
                return
            elif not await self._progress() and done:  # the next claim is far off
                await self._turn(done, 0)

    async def _progress(self) -> bool:
        """Wait until a batch is finished or another is wanted; return False when that takes long."""
        return await looping.happens(self.dispatch.progressed, LOOK)

    async def _turn(self, done: Sequence[OpenBatch], want: int) -> None:
        asked = time.monotonic()
        for batch in done:  # what is taken back from here on is taken back from the ledger
            self.work.recording.append(self.work.open.pop(batch.id))
        claimed = await self.books.turn(done, want)
        self.work.recording.clear()
        for batch in claimed:
            self.work.open[batch.id] = batch
            self.tally.skip(batch.skipped)
        if want:
            self._exhausted = want > len(claimed)
        self.dispatch.add(claimed, asked=asked)

    def _want(self) -> int:
        """Return how many batches to claim now."""
        if self.dispatch.closed or self.dispatch.allow <= 0:
            return 0
        if not self.work.open:
            return 0 if self._exhausted else 1
        return int(not self._exhausted and len(self.dispatch) <= self.dispatch.low and len(self.work.open) < OPEN)

    async def _waited(self) -> bool:
        """Wait for the next attempt that is due, where that was asked for; return whether to go on."""
        if self.dispatch.closed or self.dispatch.allow <= 0:
            return False
        await self.crew.joined()
        if self.tally.came_back or self.crew.came_back:  # whoever waits again since the last claim may be due at once
            self.tally.came_back = self.crew.came_back = self._exhausted = False
            return not self.dispatch.closed
        due = await self.books.next_due()
        if due is None or not (self.wait or due <= self.books.clock()):
            return False
        while not self.dispatch.closed and self.books.clock() < due:
            await self.dispatch.changed(min(LOOK, max((due - self.books.clock()).total_seconds(), 0.01)))
        self._exhausted = False
        return not self.dispatch.closed

    async def _put_down(self) -> None:
        """Record what every open batch came to, whatever ended the run; journals stay where that fails."""
        for copy in self.dispatch.out.values():
            if copy.begun:
                self.dispatch.note(
                    copy, self.answers.change(copy, lost("the send ended while it was on its way", after_dot=True))
                )
        left = [*self.work.recording, *self.work.open.values()]
        if left or self.books.taken_back or self.books.troubles:
            self.work.open = {}
            try:
                await asyncio.shield(self.books.turn(left, 0))
            finally:
                for batch in left:
                    batch.journal.close()

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            with suppress(DatabaseError):  # another writer has it, or it restarts: there is time for a few more tries
                await self.books.renew()

    async def _hear_readers(self) -> None:
        """Look whether too many of those who have the issue call it spam."""
        while True:
            await asyncio.sleep(HEARING)
            trip = self.work.breaker.complaints(*await self.books.complaints())
            if trip:
                self.work.halt(Stop.BREAKER, trip.reason, RelayError(trip.reason))

    async def _listen(self) -> None:
        """Ask the ledger about the copies that go out next, and about what a person wants; tell it of the breaker."""
        kept = False
        while True:
            await looping.happens(self.dispatch.stale, LOOK)
            self.dispatch.stale.clear()
            next_ = self.dispatch.asked_about()
            asked = time.monotonic()
            self._heard(await self.books.ask(copy.reader.delivery_id for copy in next_), next_, asked)
            if self.work.stop is Stop.BREAKER and not kept:
                with suppress(DatabaseError):  # another writer has it: there are more tries until the end
                    await self.books.stopping(Stop.BREAKER, self.work.reason)
                    kept = True
            for carrier in self.work.carriers:
                carrier.reopen(asked)
            for copy, rest in self.dispatch.release():
                due = self.books.clock() + timedelta(seconds=rest)
                why = f"slow: {copy.domain}"[:80]
                self.dispatch.note(copy, results.slow(why, due, resent=copy.reader.resent))

    def _heard(self, answer: Answer, about: Sequence[Copy], asked: float) -> None:
        for copy in about:
            copy.asked = asked
            copy.barred = answer.objections.get(copy.reader.delivery_id, "")
        if answer.ask is not Ask.NONE and self.work.stop is Stop.NONE:
            self.work.ask = answer.ask
            self.work.halt(Stop.ASKED, "")
        self.dispatch.wake()

    async def _sign(self, scribe: Scribe) -> None:
        while True:
            copies = self.dispatch.unmade(CHUNK)
            if not copies:
                self.dispatch.unsigned.clear()
                await self.dispatch.unsigned.wait()
                continue
            for copy, made in zip(copies, await scribe.make([copy.reader for copy in copies]), strict=True):
                copy.signing, copy.made = False, made
            self.dispatch.wake()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what the tasks ended by: an error with words for a person before any other."""
    flat: list[BaseException] = []
    for each in group.exceptions:
        flat.append(_first(each) if isinstance(each, BaseExceptionGroup) else each)
    return next((each for each in flat if isinstance(each, NewsletterError)), flat[0])
