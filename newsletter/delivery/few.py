"""A few messages outside the ledger, one after the other, by the first relay that can be used."""

import ssl
from collections import deque
from collections.abc import Sequence

from newsletter.delivery import carriers, looping
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Outcome, lost
from newsletter.errors import RelayError
from newsletter.settings import Settings

#: So many conversations in a row that bring nothing, and what is left is told as lost.
_TRIES = 3


def send(
    settings: Settings, envelopes: Sequence[Envelope], *, trust: ssl.SSLContext | None = None
) -> list[tuple[Envelope, Outcome]]:
    """Send the messages in order and return what became of each; RelayError where no relay can be used."""
    there = sorted(carriers.of(settings, trust=trust), key=lambda each: each.relay.order)
    few = _Few(envelopes)
    looping.run(few.go(there))
    return [(each, few.outcomes[id(each)]) for each in envelopes]


class _Few:
    """The messages as a connection takes them."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.queue = deque(envelopes)
        self.outcomes: dict[int, Outcome] = {}

    async def go(self, there: Sequence[Carrier]) -> None:
        """Send by the first relay that answers."""
        for number, carrier in enumerate(there, start=1):
            try:
                await self._by(carrier)
            except RelayError:
                if number == len(there):
                    raise
            else:
                return

    async def _by(self, carrier: Carrier) -> None:
        tries = 0
        while self.queue and tries < _TRIES:
            connection = await carrier.connect()
            try:
                ending = await connection.run(self)
            finally:
                await connection.close()
            tries = 0 if ending.taken else tries + 1
        for envelope in self.queue:
            self.outcomes[id(envelope)] = lost(f"{carrier} hung up {_TRIES} times in a row", after_dot=False)

    def take(self) -> Envelope | None:
        """Return the next message."""
        return self.queue.popleft() if self.queue else None

    async def wait(self) -> bool:
        """Return whether there is another."""
        return bool(self.queue)

    def began(self, envelope: Envelope) -> None:
        """Keep no journal."""

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        """Keep what became of it."""
        self.outcomes[id(envelope)] = outcome

    def give_back(self, envelope: Envelope) -> None:
        """Let it go by the next connection."""
        self.queue.appendleft(envelope)
