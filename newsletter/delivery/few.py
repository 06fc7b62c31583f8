"""A few messages outside the ledger, one after the other, each by the first relay that takes it."""

import ssl
from collections import deque
from collections.abc import Sequence

from newsletter.delivery import carriers, lanes, looping
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.lanes import Answer
from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Kind, Outcome, lost
from newsletter.errors import RelayError
from newsletter.settings import Settings

#: So many conversations in a row that bring nothing, and what is left goes by the next relay.
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
    """The messages as a connection takes them; those that its relay does not take are left for the next one."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.queue = deque(envelopes)
        self.outcomes: dict[int, Outcome] = {}
        self._left: deque[Envelope] = deque()
        self._refusals: dict[int, list[tuple[Carrier, Outcome]]] = {id(each): [] for each in envelopes}
        self._carrier: Carrier

    async def go(self, there: Sequence[Carrier]) -> None:
        """Send each by the first relay that takes it."""
        errors: list[RelayError] = []
        for self._carrier in there:
            try:
                outcome = await self._by(self._carrier)
            except RelayError as error:
                errors.append(error)
                outcome = Outcome(Kind.RELAY_REFUSED, 0, str(error))
            for envelope in self.queue:
                self._leave(envelope, outcome)
            self.queue, self._left = self._left, deque()
            if not self.queue:
                return
        if len(errors) == len(there) and not self.outcomes:
            raise RelayError("; ".join(map(str, errors)), temporary=any(each.temporary for each in errors))
        for envelope in self.queue:
            self.outcomes[id(envelope)] = _together(self._refusals[id(envelope)])

    async def _by(self, carrier: Carrier) -> Outcome:
        """Send by a relay; return what to say of those that it neither took nor refused."""
        tries = 0
        while self.queue and tries < _TRIES:
            connection = await carrier.connect()
            try:
                ending = await connection.run(self)
            finally:
                await connection.close()
            tries = 0 if ending.taken else tries + 1
        return lost(f"{carrier} hung up {_TRIES} times in a row", after_dot=False)

    def _leave(self, envelope: Envelope, outcome: Outcome) -> None:
        self._refusals[id(envelope)].append((self._carrier, outcome))
        self._left.append(envelope)

    def take(self) -> Envelope | None:
        """Return the next message."""
        return self.queue.popleft() if self.queue else None

    async def wait(self) -> bool:
        """Return whether there is another."""
        return bool(self.queue)

    def began(self, envelope: Envelope) -> None:
        """Keep no journal."""

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        """Keep what became of it; what is not the reader's fault, and was not taken, is for the next relay."""
        cut = outcome.kind is Kind.DEFERRED and lanes.answer(outcome) is Answer.CUT
        if cut or outcome.kind is Kind.RELAY_REFUSED:
            self._leave(envelope, outcome)
        else:
            self.outcomes[id(envelope)] = outcome

    def unfit(self, envelope: Envelope, outcome: Outcome) -> None:
        """Leave it to the next relay."""
        self._leave(envelope, outcome)

    def give_back(self, envelope: Envelope) -> None:
        """Let it go by the next connection."""
        self.queue.appendleft(envelope)


def _together(refusals: Sequence[tuple[Carrier, Outcome]]) -> Outcome:
    """Return the last refusal, one that may pass where there is any, with what the other relays said."""
    *before, (carrier, last) = sorted(refusals, key=lambda each: each[1].kind is not Kind.FAILED)
    if not before:
        return last
    words = [f"{each} said {outcome.reply}" if outcome.code else outcome.text for each, outcome in before]
    own = f"{last.text} ({carrier})" if last.code else last.text
    return last._replace(text="; ".join((own, *words)))
