"""One sender at work on one issue: batches are claimed, sent over every relay's connections, and recorded."""

import asyncio
import math
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from newsletter.delivery import carriers, pulse, results
from newsletter.delivery.books import Books, OpenBatch
from newsletter.delivery.breaker import Breaker, Trip
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.dispatch import Copy, Dispatch
from newsletter.delivery.interruption import Interruption
from newsletter.delivery.ledger import Answer
from newsletter.delivery.making import Make
from newsletter.delivery.message import Envelope
from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.pulse import Progress
from newsletter.delivery.relay import Ending
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome, lost
from newsletter.delivery.results import Change, Policy
from newsletter.delivery.signing import Signers
from newsletter.errors import DatabaseError, NewsletterError, RelayError

#: How often a sender says that it lives, in seconds: well within the lease.
HEARTBEAT = 20.0
#: How often it looks whether a person asks something of it, and whether slow lanes hold copies for long, in seconds.
LOOK = 0.4
#: How often it counts complaints, in seconds: they come by mail and by webhooks, while others are still sent to.
HEARING = 3.0
#: The next batch is claimed when so few copies are left, or as few as the relays can have under way at once.
LOW = 50
#: A connection that brought nothing is tried again after so many seconds, then each time four times as many.
REST, LONGEST_REST = 0.05, 30.0
#: A connection on which nothing happened for so many seconds takes leave.
IDLE = 10.0


class Run:
    """What the tasks of a send share; `stop` says why it ended before everybody was reached, `error` what to raise."""

    def __init__(
        self,
        books: Books,
        there: Sequence[Carrier],
        make: Make,
        *,
        policy: Policy,
        breaker: Breaker,
        tally: pulse.Tally,
        progress: Progress | None = None,
        signers: Signers | None = None,
        limit: int = 0,
        wait: bool = False,
    ) -> None:
        self.books, self.carriers, self.policy, self.breaker = books, there, policy, breaker
        self.tally, self.progress, self.signers, self.wait = tally, progress, signers, wait
        self.dispatch = Dispatch(there, make, ahead=signers is not None, noted=tally.count, allow=limit or math.inf)
        self.dispatch.low = max(self._under_way(), LOW)
        self.open: dict[int, OpenBatch] = {}
        self.recording: list[OpenBatch] = []
        self.stop = Stop.NONE
        self.ask = Ask.NONE
        self.reason = ""
        self.error: NewsletterError | None = None
        #: for what fault nobody fails any more, as the issue was stopped for it while others were under way
        self.doubted: Fault | None = None
        self._exhausted = False

    def _under_way(self) -> int:
        """Return how many messages the relays can have under way at once."""
        return sum(min(each.lanes.limit, each.relay.connections * 2) for each in self.carriers)

    async def go(self, interruption: Interruption) -> None:
        """Send until nobody is due, somebody asks to stop, or nothing works any more; every result is recorded."""
        interruption.then(lambda: self.halt(Stop.INTERRUPTED, "stopped before its end"))
        try:
            async with asyncio.TaskGroup() as tasks:
                seats = [
                    tasks.create_task(self._seat(each)) for each in self.carriers for _ in range(each.relay.connections)
                ]
                others = [tasks.create_task(each) for each in self._helpers()]
                await self._turns()
                self.dispatch.closed = True
                self.dispatch.wake()
                await asyncio.wait(seats)
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
            pulse.beat(self.tally, self.carriers, self.progress),
        ]
        if self.signers:
            made += [self._sign(self.signers) for _ in range(self.signers.count)]
        return made

    def halt(self, stop: Stop, reason: str, error: NewsletterError | None = None) -> None:
        """Let no further message begin; what is under way is finished."""
        if self.stop is Stop.NONE:
            self.stop, self.reason, self.error = stop, reason, error
        self.dispatch.closed = True
        self.dispatch.progressed.set()
        self.dispatch.wake()

    async def _turns(self) -> None:
        """Record what is finished and claim what comes next, until there is neither."""
        while True:
            self.dispatch.progressed.clear()
            done = [batch for batch in self.open.values() if batch.left == 0]
            want = self._want()
            if done or want:
                await self._turn(done, want)
            elif (self.dispatch.closed and not self.dispatch.out) or (not self.open and not await self._waited()):
                return
            else:
                await self.dispatch.progressed.wait()

    async def _turn(self, done: Sequence[OpenBatch], want: int) -> None:
        asked = time.monotonic()
        for batch in done:  # what is taken back from here on is taken back from the ledger
            self.recording.append(self.open.pop(batch.id))
        claimed = await self.books.turn(done, want)
        self.recording.clear()
        for batch in claimed:
            self.open[batch.id] = batch
            self.tally.skip(batch.skipped)
        if want:
            self._exhausted = want > len(claimed)
        self.dispatch.add(claimed, asked=asked)

    def _want(self) -> int:
        """Return how many batches to claim now."""
        if self.dispatch.closed or self.dispatch.allow <= 0:
            return 0
        if not self.open:
            return 0 if self._exhausted else 1
        return int(not self._exhausted and len(self.dispatch) <= self.dispatch.low and len(self.open) < 20)

    async def _waited(self) -> bool:
        """Wait for the next attempt that is due, where that was asked for; return whether to go on."""
        if self.dispatch.closed or self.dispatch.allow <= 0:
            return False
        if self.tally.came_back:  # whoever waits again since the last claim may be due at once
            self.tally.came_back = self._exhausted = False
            return True
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
                    copy, self._change(copy, lost("the send ended while it was on its way", after_dot=True))
                )
        left = [*self.recording, *self.open.values()]
        if left or self.books.taken_back or self.books.troubles:
            self.open = {}
            try:
                await asyncio.shield(self.books.turn(left, 0))
            finally:
                for batch in left:
                    batch.journal.close()

    # -- what a connection asks and tells

    def settle(self, carrier: Carrier, envelope: Envelope, outcome: Outcome) -> None:
        """Keep what became of a message, and see what it says of the relay and of the issue."""
        copy = self.dispatch.out.pop(envelope.delivery_id)
        carrier.ended(copy.domain, time.monotonic(), outcome)
        if self.doubted and outcome.fault is self.doubted and outcome.kind is Kind.FAILED:
            outcome = replace(outcome, kind=Kind.RELAY_REFUSED)
        if outcome.kind is Kind.SENT or (outcome.code and outcome.code != 421):
            carrier.failures = 0
        if outcome.kind is Kind.RELAY_REFUSED and outcome.moment is Moment.MAIL:
            self._pause(carrier, outcome, copy)
            if not self.dispatch.closed:  # another relay carries it
                self._back(copy)
                return
        self.dispatch.note(copy, self._change(copy, outcome), relay=carrier.relay.name)
        if outcome.kind is not Kind.UNKNOWN:
            copy.batch.journal.done(envelope.delivery_id, outcome)
        if outcome.moment is not Moment.MAIL:
            trip = self.breaker.saw(envelope.delivery_id, outcome, relay=carrier.relay.name)
            if trip:
                self._trip(trip, carrier, outcome, copy)
        self._drained()

    def give_back(self, carrier: Carrier, envelope: Envelope) -> None:
        """Let a message go out by another connection."""
        copy = self.dispatch.out[envelope.delivery_id]
        carrier.ended(copy.domain, time.monotonic(), None)
        self._back(copy)

    def _back(self, copy: Copy) -> None:
        if copy.begun:
            copy.batch.journal.back(copy.reader.delivery_id)
        self.dispatch.put_back(copy)
        self._drained()

    def _drained(self) -> None:
        if not self.dispatch.out and self.dispatch.allow <= 0:
            self.halt(Stop.PART, "as many as were asked for have it")
        if self.dispatch.closed and not self.dispatch.out:
            self.dispatch.progressed.set()

    def began(self, envelope: Envelope) -> None:
        """Write the message down as in flight; refuse where the issue was taken over."""
        copy = self.dispatch.out[envelope.delivery_id]
        copy.batch.journal.began(envelope.delivery_id)
        copy.begun = True
        # A successor moves the fence only after the lease, and reads the journal after that: so either it finds the
        # line, or we the fence.
        if self.books.clock() >= self.books.held_until:
            self.books.renew_now()

    def _change(self, copy: Copy, outcome: Outcome) -> Change:
        reader = copy.reader
        return results.settle(
            outcome, attempts=reader.attempts, resent=reader.resent, policy=self.policy, now=self.books.clock()
        )

    # -- trouble

    def _trip(self, trip: Trip, carrier: Carrier, outcome: Outcome, copy: Copy) -> None:
        self._take_back(trip.take_back, outcome)
        if trip.take_back:
            self.doubted = outcome.fault
        reason = trip.reason.replace("ISSUE", str(self.books.hold.issue_id))
        if trip.relay:
            self._pause(carrier, outcome, copy, reason)
        else:
            self.halt(Stop.BREAKER, reason, RelayError(reason))

    def _take_back(self, deliveries: frozenset[int], outcome: Outcome) -> None:
        """Let the readers wait whose copies were refused for no fault of theirs."""
        instead = replace(outcome, kind=Kind.RELAY_REFUSED)
        rest = set(deliveries)
        for batch in self.open.values():
            for reader in batch.readers:
                if reader.delivery_id in rest and reader.delivery_id in batch.changes:
                    rest.discard(reader.delivery_id)
                    again = results.settle(
                        instead, attempts=reader.attempts, resent=reader.resent, policy=self.policy,
                        now=self.books.clock(),
                    )  # fmt: skip
                    self.tally.take_back(batch.changes[reader.delivery_id])
                    batch.changes[reader.delivery_id] = again
                    batch.journal.done(reader.delivery_id, instead)  # the last word counts, should the sender die now
        self.books.taken_back |= rest

    def _pause(self, carrier: Carrier, outcome: Outcome, copy: Copy, reason: str = "") -> None:
        issue_id = self.books.hold.issue_id
        why = reason or (
            f"{carrier} refuses issue {issue_id}, not its readers: {outcome.reply} (at {copy.reader.email}). "
            f"Nobody was marked as failed for it; see what it asks for, then go on: newsletter send {issue_id}"
        )
        self.pause(carrier, RelayError(why, temporary=400 <= outcome.code < 500))

    def pause(self, carrier: Carrier, error: RelayError) -> None:
        """Let nothing more go by a relay; without another the issue pauses."""
        if carrier.open:
            carrier.stop(error, time.monotonic())
            self.books.troubles[carrier.relay.name] = error
        if not any(each.open for each in self.carriers):
            self.halt(Stop.RELAY, str(error), error)
        self.dispatch.wake()

    # -- tasks

    async def _seat(self, carrier: Carrier) -> None:
        """Keep one connection to a relay while there is work for so many; each that brings nothing is a longer rest."""
        tries = 0
        while await self._wanted(carrier):
            trouble = await self._sat(carrier)
            tries = tries + 1 if trouble else 0
            if trouble:
                await self._rest(carrier, min(REST * 4 ** (tries - 1), LONGEST_REST))

    async def _sat(self, carrier: Carrier) -> RelayError | None:
        """Hold one conversation; return what is wrong where it brought nothing."""
        carrier.connections += 1
        try:
            ending = await self._converse(carrier)
        except RelayError as error:
            return self._refused(carrier, error)
        finally:
            carrier.connections -= 1
        if ending.taken or not ending.trouble:
            return None
        trouble = carriers.unusable(carrier, f"hung up {carriers.PATIENCE} times in a row ({ending.trouble.reply})")
        carrier.failures += 1
        if carrier.failures >= carriers.PATIENCE + carrier.talks:
            self.pause(carrier, trouble)
        return trouble

    def _refused(self, carrier: Carrier, error: RelayError) -> RelayError:
        """Pause a relay that refuses a connection, unless it has others: it may allow no more of them."""
        carrier.failures += not carrier.talks
        alone = carrier.connections == 1
        if not error.temporary or (alone and carrier.failures >= (carriers.PATIENCE if carrier.proven else 1)):
            self.pause(carrier, error)
        return error

    async def _rest(self, carrier: Carrier, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.dispatch.closed and carrier.open and (left := until - time.monotonic()) > 0:
            await self.dispatch.changed(left)

    async def _converse(self, carrier: Carrier) -> Ending:
        connection = await carrier.connect()
        if not carrier.proven and carrier.open:
            carrier.proven = True
            self.books.troubles[carrier.relay.name] = None
        carrier.talks += 1
        try:
            return await connection.run(Seat(self, carrier), limit=carrier.relay.messages_per_connection)
        finally:
            carrier.talks -= 1
            await connection.close()

    async def _wanted(self, carrier: Carrier) -> bool:
        """Wait until there is work for one more connection; return False when there will be none."""
        while not self.dispatch.closed:
            waiting = len(self.dispatch) + self.dispatch.parked
            room = max(1.0, carrier.lanes.own.allowed)
            if carrier.open and carrier.connections < min(-(-waiting // 4), room):
                return True
            await self.dispatch.changed(LOOK)
        return False

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            with suppress(DatabaseError):  # another writer has it, or it restarts: there is time for a few more tries
                await self.books.renew()

    async def _hear_readers(self) -> None:
        """Look whether too many of those who have the issue call it spam."""
        while True:
            await asyncio.sleep(HEARING)
            trip = self.breaker.complaints(*await self.books.complaints())
            if trip:
                self.halt(Stop.BREAKER, trip.reason, RelayError(trip.reason))

    async def _listen(self) -> None:
        """Ask the ledger about the copies that go out next, and about what a person wants."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.dispatch.stale.wait(), LOOK)
            self.dispatch.stale.clear()
            next_ = self.dispatch.asked_about()
            asked = time.monotonic()
            self._heard(await self.books.ask(copy.reader.delivery_id for copy in next_), next_, asked)
            for carrier in self.carriers:
                carrier.reopen(asked)
            for copy, rest in self.dispatch.release():
                due = self.books.clock() + timedelta(seconds=rest)
                self.dispatch.note(copy, results.slow(f"slow: {copy.domain}"[:80], due))

    def _heard(self, answer: Answer, about: Sequence[Copy], asked: float) -> None:
        for copy in about:
            copy.asked = asked
            copy.barred = answer.objections.get(copy.reader.delivery_id, "")
        if answer.ask is not Ask.NONE and self.stop is Stop.NONE:
            self.ask = answer.ask
            self.halt(Stop.ASKED, "")
        self.dispatch.wake()

    async def _sign(self, signers: Signers) -> None:
        while True:
            copies = self.dispatch.unmade(signers.chunk)
            if not copies:
                self.dispatch.unsigned.clear()
                await self.dispatch.unsigned.wait()
                continue
            for copy, made in zip(copies, await signers.make([copy.reader for copy in copies]), strict=True):
                copy.signing, copy.made = False, made
            self.dispatch.wake()


class Seat:
    """One connection's door to the run."""

    def __init__(self, run: Run, carrier: Carrier) -> None:
        self._run, self._carrier = run, carrier
        self.began = run.began

    def take(self) -> Envelope | None:
        """Return the next message for this connection."""
        return self._run.dispatch.take(self._carrier)

    async def wait(self) -> bool:
        """Wait until `take` is worth another try; False when the connection is to take leave."""
        there = self._run.dispatch
        if there.closed or not self._carrier.open or there.allow <= 0:
            return False
        if (pause := there.pause(self._carrier)) > 0:
            if not await there.changed(min(pause, IDLE)) and pause >= IDLE:
                return False  # a relay does not like connections on which nothing happens
        else:
            await asyncio.sleep(0)
        return not there.closed and self._carrier.open

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        """Keep what became of a message."""
        self._run.settle(self._carrier, envelope, outcome)

    def give_back(self, envelope: Envelope) -> None:
        """Let a message go by another connection."""
        self._run.give_back(self._carrier, envelope)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what the tasks ended by: an error with words for a person before any other."""
    flat: list[BaseException] = []
    for each in group.exceptions:
        flat.append(_first(each) if isinstance(each, BaseExceptionGroup) else each)
    return next((each for each in flat if isinstance(each, NewsletterError)), flat[0])
