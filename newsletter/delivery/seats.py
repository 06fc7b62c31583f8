"""Seats: each keeps one connection to a relay while there is work for so many."""

import asyncio
import time

from newsletter.delivery import carriers
from newsletter.delivery.answers import Answers
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.message import Envelope
from newsletter.delivery.relay import Ending
from newsletter.delivery.replies import Kind, Outcome
from newsletter.delivery.work import Work
from newsletter.errors import RelayError

#: How often a seat looks again whether there is work for it, in seconds, should nothing have woken it.
LOOK = 0.4
#: A connection that brought nothing is tried again after so many seconds, then each time four times as many.
REST, LONGEST_REST = 0.05, 30.0
#: A connection on which nothing happened for so many seconds takes leave.
IDLE = 10.0


class Seat:
    """One place at a relay, with a connection or without; it is what its connection asks and tells."""

    def __init__(self, work: Work, answers: Answers, carrier: Carrier) -> None:
        self._work, self._answers, self._carrier = work, answers, carrier
        self.began = answers.began

    async def keep(self) -> None:
        """Keep one connection to a relay while there is work for so many; each that brings nothing is a longer rest."""
        tries = 0
        while await self._wanted():
            trouble = await self._sat()
            tries = tries + 1 if trouble else 0
            if trouble:
                await self._rest(min(REST * 4 ** (tries - 1), LONGEST_REST))

    async def _sat(self) -> RelayError | None:
        """Hold one conversation; return what is wrong where it brought nothing."""
        self._carrier.connections += 1
        try:
            ending = await self._converse()
        except RelayError as error:
            return self._refused(error)
        finally:
            self._carrier.connections -= 1
        if ending.taken or not ending.trouble:
            return None
        trouble = carriers.unusable(
            self._carrier, f"hung up {carriers.PATIENCE} times in a row ({ending.trouble.reply})"
        )
        self._carrier.failures += 1
        if self._carrier.failures >= carriers.PATIENCE + self._carrier.talks:
            self._answers.pause(self._carrier, trouble)
        return trouble

    def _refused(self, error: RelayError) -> RelayError:
        """Pause a relay that refuses a connection, unless it has others: it may allow no more of them."""
        self._carrier.failures += not self._carrier.talks
        alone = self._carrier.connections == 1
        if not error.temporary or (
            alone and self._carrier.failures >= (carriers.PATIENCE if self._carrier.proven else 1)
        ):
            self._answers.pause(self._carrier, error)
        return error

    async def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._work.dispatch.closed and self._carrier.open and (left := until - time.monotonic()) > 0:
            await self._work.dispatch.changed(left)

    async def _converse(self) -> Ending:
        connection = await self._carrier.connect()
        if not self._carrier.proven and self._carrier.open:
            self._carrier.proven = True
            self._work.books.troubles[self._carrier.relay.name] = None
        self._carrier.talks += 1
        try:
            return await connection.run(self, limit=self._carrier.relay.messages_per_connection)
        finally:
            self._carrier.talks -= 1
            await connection.close()

    async def _wanted(self) -> bool:
        """Wait until there is work for one more connection; return False when there will be none."""
        while not self._work.dispatch.closed:
            waiting = len(self._work.dispatch) + self._work.dispatch.parked
            room = max(1.0, self._carrier.lanes.own.allowed)
            if self._carrier.open and self._carrier.connections < min(-(-waiting // 4), room):
                return True
            await self._work.dispatch.changed(LOOK)
        return False

    def take(self) -> Envelope | None:
        """Return the next message for this connection."""
        return self._work.dispatch.take(self._carrier)

    async def wait(self) -> bool:
        """Wait until `take` is worth another try; False when the connection is to take leave."""
        there = self._work.dispatch
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
        self._answers.settle(self._carrier, envelope, outcome)

    def unfit(self, envelope: Envelope, outcome: Outcome) -> None:
        """Leave a message to a relay that may carry it; it waits while all such are paused, and ends without one."""
        copy = self._work.dispatch.out[envelope.delivery_id]
        copy.unfit = (*copy.unfit, self._carrier.relay.name)
        if carriers.fit(self._work.carriers, copy.unfit):
            self._answers.give_back(self._carrier, envelope)
            return
        waits = any(each.relay.name not in copy.unfit for each in self._work.carriers)
        self.settle(envelope, outcome._replace(kind=Kind.DEFERRED) if waits else outcome)

    def give_back(self, envelope: Envelope) -> None:
        """Let a message go by another connection."""
        self._answers.give_back(self._carrier, envelope)
