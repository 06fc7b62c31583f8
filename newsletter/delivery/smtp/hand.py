"""The messages that a connection has in hand: each comes to exactly one end."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from newsletter.delivery.message import Envelope
from newsletter.delivery.relay import Source
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome, lost, read
from newsletter.delivery.smtp import commands
from newsletter.delivery.smtp.offers import Offers
from newsletter.delivery.smtp.parser import Reply
from newsletter.delivery.smtp.wire import Gone, Wire


class Step(Enum):
    """What a reply answers."""

    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    #: the final dot, or the last chunk
    TEXT = auto()

    __hash__ = object.__hash__  # asked for with each reply, and Enum's own takes ten times as long


@dataclass(slots=True, eq=False)
class Item:
    """A message in hand; `mark` is where on the wire its text ends, and 0 before its text begins, at `start`."""

    envelope: Envelope
    mail: bytes
    rcpt: bytes
    start: int = 0
    mark: int = 0
    #: whether RSET went before it
    reset: bool = False
    settled: bool = False


class Hand:
    """What one run has taken from its source, oldest first; `used` once the connection had a reply to a message."""

    def __init__(self, wire: Wire, offers: Offers, source: Source, *, relay: str, limit: int, used: bool) -> None:
        self.used = used
        self.replied = 0
        self.items: deque[Item] = deque()
        self._wire, self._offers, self._source, self._relay = wire, offers, source, relay
        self._room = limit or -1  # never comes to 0 from below
        self._awaited: Item | None = None  # whose text the last reply, or the one that is due, answers
        self._goes_on = False  # whether the server took commands after it said 421
        times = wire.timeouts
        self._patience = dict.fromkeys(Step, times.command) | {Step.DATA: times.data, Step.TEXT: times.done}

    def take(self) -> Item | None:
        """Return the next message, None where there is none at this moment, or the run has had all it may have."""
        while self._room and (envelope := self._taken()):
            opening = commands.opening(envelope, self._offers, self._relay)
            if isinstance(opening, Outcome):
                self._source.unfit(envelope, opening)
                continue
            self._room -= 1
            item = Item(envelope, *opening)
            self.items.append(item)
            return item
        return None

    def _taken(self) -> Envelope | None:
        if self._wire.end is None:
            return self._source.take()
        if self.items:  # replies to them may have come before the end
            return None
        raise self._wire.end

    @property
    def under_way(self) -> int:
        """Return how many bytes are due replies, the oldest message's first."""
        return self._wire.written - self.items[0].start

    async def next(self) -> Item | None:
        """Return the next message as soon as there is one; None to take leave. Nothing may be in hand."""
        while True:
            item = self.take()
            if item or not self._room or not await self._more():
                return item

    async def _more(self) -> bool:
        """Return the source's word, unless the connection ends before."""
        waiting = asyncio.ensure_future(self._source.wait())
        try:
            await asyncio.wait((waiting, self._wire.over), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            assert self._wire.end is not None
            raise self._wire.end
        finally:
            waiting.cancel()

    def send(self, *parts: bytes, replies: int) -> None:
        """Let commands go out that are due so many replies."""
        self._wire.send(parts, replies=replies)

    def begin(self, item: Item) -> None:
        """Tell the source that the text of the message goes out now."""
        if self._wire.end:
            raise self._wire.end
        self._source.began(item.envelope)

    def text(
        self, item: Item, before: Sequence[bytes], text: Sequence[bytes], after: Sequence[bytes] = (), *, replies: int
    ) -> None:
        """Let the text of a message go out, between commands."""
        item.start = self._wire.written
        item.mark = item.start + sum(map(len, before)) + sum(map(len, text))
        self._wire.send((*before, *text, *after), replies=replies)

    async def reply(self, step: Step) -> Reply:
        """Return the reply to a step; one that answers nothing, or says that all is over, ends the connection."""
        reply = self._wire.here() or await self._wire.reply(self._patience[step])
        first = reply.code // 100
        if reply.code == 421:  # the server is about to close the connection (RFC 5321 3.8)
            raise await self._over(reply)
        if (reply.code != 354 and first < 4) if step is Step.DATA else first == 3:
            raise self._wire.fail(f"said {reply} to {step.name}")
        return reply

    async def _over(self, said: Reply) -> Gone:
        """End a conversation that the server calls over; hear before whether it goes on with the texts that it has.

        It must close the connection (RFC 5321 3.8). One that does not, and says 250 after that, may have taken them.
        """
        if len(self.items) > 1 and self.items[1].mark:
            with suppress(Gone, TimeoutError):
                async with asyncio.timeout(self._wire.timeouts.over):
                    while not self._goes_on:
                        self._goes_on = (await self._wire.reply(self._wire.timeouts.over)).good
        return self._wire.fail(f"said {said}", said)

    async def envelope(self, item: Item) -> tuple[bool, bool]:
        """Read the replies to MAIL and RCPT and return whether they stand; who is refused is settled at once."""
        mail = await self.reply(Step.MAIL)
        if not mail.good:
            self.settle(item, read(Moment.MAIL, *mail))
        rcpt = await self.reply(Step.RCPT)
        if not (rcpt.good or item.settled):
            self.settle(item, read(Moment.RCPT, *rcpt))
        return mail.good, rcpt.good

    async def conclude(self, item: Item) -> None:
        """Read the reply to the text, and settle the message."""
        self._awaited = item
        reply = await self.reply(Step.TEXT)
        if self._wire.left(item.mark):
            self.settle(item, read(Moment.TEXT, *reply))
            return
        # What of the text still lies here would be taken for commands.
        gone = self._wire.fail(f"said {reply} within the message text")
        if reply.code >= 400:
            self.settle(item, read(Moment.TEXT, *reply))
        raise gone

    def distrust(self, reason: str) -> Gone:
        """End a conversation that makes no sense."""
        return self._wire.fail(reason)

    def settle(self, item: Item, outcome: Outcome) -> None:
        """Let the source know what became of the oldest message."""
        assert self.items.popleft() is item
        item.settled = self.used = True
        self.replied += 1
        self._source.settle(item.envelope, outcome)

    def ended(self, gone: Gone) -> Outcome:
        """Bring every message to its end after the connection came to its own, and return what that was."""
        said = gone.said
        trouble = (
            Outcome(Kind.DEFERRED, said.code, said.text, Fault.TRANSIENT)
            if said
            else lost(f"{self._relay} {gone}", after_dot=False)
        )
        heard = said is None or self._goes_on
        if self.items and not (self.items[0].mark and heard):
            first = self.items.popleft()
            if first is self._awaited or not self.used:
                self._source.settle(first.envelope, trouble)
            else:
                self._source.give_back(first.envelope)
        self.let_go(str(gone), untouched=not heard)
        return trouble

    def let_go(self, reason: str, *, untouched: bool = False) -> None:
        """Bring every message to its end where no further reply comes; `untouched`: the server heard none of them."""
        while self.items:
            item = self.items.popleft()
            if untouched or not item.mark:
                self._source.give_back(item.envelope)
            elif self._wire.left(item.mark):
                words = f"{self._relay} gave no reply to the final dot: it {reason}"
                self._source.settle(item.envelope, lost(words, after_dot=True))
            else:
                words = f"{self._relay} had not all of the message text: it {reason}"
                self._source.settle(item.envelope, lost(words, after_dot=False))
