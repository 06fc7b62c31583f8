"""What relays answer, and what follows from it for a copy, for its relay and for the whole issue."""

import time

from newsletter.delivery import results
from newsletter.delivery.breaker import Trip
from newsletter.delivery.carriers import Carrier
from newsletter.delivery.dispatch import Copy
from newsletter.delivery.message import Envelope
from newsletter.delivery.models import Stop
from newsletter.delivery.reader import Reader
from newsletter.delivery.replies import Fault, Kind, Moment, Outcome
from newsletter.delivery.results import Change
from newsletter.delivery.work import Work
from newsletter.errors import NewsletterError, RelayError


class Answers:
    """Hears of every message that a connection took."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def settle(self, carrier: Carrier, envelope: Envelope, outcome: Outcome) -> None:
        """Keep what became of a message, and see what it says of the relay and of the issue."""
        copy = self._work.dispatch.out.pop(envelope.delivery_id)
        carrier.ended(copy.domain, time.monotonic(), outcome)
        doubted = self._work.doubted
        if doubted and outcome.fault is doubted.fault and outcome.kind is Kind.FAILED:
            outcome = outcome._replace(kind=Kind.RELAY_REFUSED)
        if outcome.kind is Kind.SENT or (outcome.code and outcome.code != 421):
            carrier.failures = 0
        if outcome.kind is Kind.RELAY_REFUSED and outcome.moment is Moment.MAIL:
            self._pause(carrier, outcome, copy)
            if not self._work.dispatch.closed:  # another relay carries it
                self._back(copy)
                return
        # It may be this mailbox alone that will not have us: the copy waits as if put off, until others say the same.
        alone = outcome.fault is Fault.POLICY and outcome.moment is not Moment.MAIL and carrier.open
        kept = outcome._replace(kind=Kind.DEFERRED) if alone else outcome
        self._work.dispatch.note(copy, self.change(copy, kept), relay=carrier.relay.name)
        if outcome.kind is not Kind.UNKNOWN:
            copy.batch.journal.done(envelope.delivery_id, kept, carrier.relay.name)
        if outcome.moment is not Moment.MAIL and not (alone and copy.reader.refused):
            trip = self._work.breaker.saw(envelope.delivery_id, outcome, relay=carrier.relay.name)
            if trip:
                self._trip(trip, carrier, outcome, copy)
        self._work.drained()

    def give_back(self, carrier: Carrier, envelope: Envelope) -> None:
        """Let a message go out by another connection."""
        copy = self._work.dispatch.out[envelope.delivery_id]
        carrier.ended(copy.domain, time.monotonic(), None)
        self._back(copy)

    def _back(self, copy: Copy) -> None:
        if copy.begun:
            copy.batch.journal.back(copy.reader.delivery_id)
        self._work.dispatch.put_back(copy)
        self._work.drained()

    def began(self, envelope: Envelope) -> None:
        """Write the message down as in flight; refuse where the issue was taken over."""
        copy = self._work.dispatch.out[envelope.delivery_id]
        copy.batch.journal.began(envelope.delivery_id)
        copy.begun = True
        # A successor moves the fence only after the lease, and reads the journal after that: so either it finds the
        # line, or we the fence.
        if self._work.books.clock() >= self._work.books.held_until:
            self._work.books.renew_now()

    def change(self, copy: Copy, outcome: Outcome) -> Change:
        """Return what an outcome means for a copy."""
        return self._settled(copy.reader, outcome)

    def _settled(self, reader: Reader, outcome: Outcome) -> Change:
        policy, now = self._work.policy, self._work.books.clock()
        return results.settle(
            outcome, attempts=reader.attempts, waited=reader.waited, resent=reader.resent, policy=policy, now=now
        )

    def _trip(self, trip: Trip, carrier: Carrier, outcome: Outcome, copy: Copy) -> None:
        self._take_back(trip.take_back | trip.put_off, outcome)
        if trip.take_back:
            self._work.doubted = outcome
        reason = trip.reason.replace("ISSUE", str(self._work.books.hold.issue_id))
        if trip.relay:
            self._pause(carrier, outcome, copy, reason)
        else:
            self._work.halt(Stop.BREAKER, reason, RelayError(reason))

    def heed(self, stop: Stop, reason: str, error: NewsletterError | None, doubted: Outcome | None) -> None:
        """Stop for what another process of the send has heard; what it doubts, this one has not believed either."""
        if self._work.stop is not Stop.NONE:
            return
        if doubted and doubted.fault:
            self._work.doubted = doubted
            self._take_back(self._work.breaker.in_a_row(doubted.fault), doubted)
        self._work.halt(stop, reason, error)

    def _take_back(self, deliveries: frozenset[int], outcome: Outcome) -> None:
        """Let the readers wait whose copies were refused for no fault of theirs."""
        instead = outcome._replace(kind=Kind.RELAY_REFUSED)
        rest = set(deliveries)
        for batch in self._work.open.values():
            for reader in batch.readers:
                if reader.delivery_id in rest and reader.delivery_id in batch.changes:
                    rest.discard(reader.delivery_id)
                    again = self._settled(reader, instead)
                    self._work.tally.take_back(batch.changes[reader.delivery_id])
                    batch.changes[reader.delivery_id] = again
                    relay = batch.relays.get(reader.delivery_id, "")
                    batch.journal.done(reader.delivery_id, instead, relay)  # should the sender die now, the last counts
        self._work.books.taken_back |= rest

    def _pause(self, carrier: Carrier, outcome: Outcome, copy: Copy, reason: str = "") -> None:
        issue_id = self._work.books.hold.issue_id
        why = reason or (
            f"{carrier} refuses issue {issue_id}, not its readers: {outcome.reply} (at {copy.reader.email}). "
            f"Nobody was marked as failed for it; see what it asks for, then go on: newsletter send {issue_id}"
        )
        self.pause(carrier, RelayError(why, temporary=400 <= outcome.code < 500))

    def pause(self, carrier: Carrier, error: RelayError) -> None:
        """Let nothing more go by a relay; without another the issue pauses."""
        if carrier.open:
            carrier.stop(error, time.monotonic())
            self._work.books.troubles[carrier.relay.name] = error
        if not any(each.open for each in self._work.carriers):
            self._work.halt(Stop.RELAY, str(error), error)
        self._work.dispatch.wake()
