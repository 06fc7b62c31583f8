"""A connection to a relay that takes mail."""

import asyncio
from contextlib import suppress

from newsletter.delivery.relay import Ending, Source
from newsletter.delivery.smtp import manners
from newsletter.delivery.smtp.hand import Hand
from newsletter.delivery.smtp.offers import Offers
from newsletter.delivery.smtp.trouble import where
from newsletter.delivery.smtp.wire import Gone, Wire
from newsletter.transport import Relay


class Connection:
    """One conversation; `offers` is what the server can do, `secure` its version of TLS, empty in the clear."""

    def __init__(self, relay: Relay, wire: Wire, offers: Offers) -> None:
        self.offers = offers
        self.secure = wire.secure
        self._relay, self._wire = relay, wire
        self._used = False

    def __str__(self) -> str:
        """Return the relay's name and where it listens."""
        return where(self._relay)

    async def run(self, source: Source, *, limit: int = 0) -> Ending:
        """Send until the source says that it is over, `limit` messages are done (0: any number), or it ends.

        Every message that was taken is settled or given back by then, also where this is cancelled or the source
        raises.
        """
        hand = Hand(self._wire, self.offers, source, relay=str(self), limit=limit, used=self._used)
        try:
            await self._send(hand)
        except Gone as gone:
            return Ending(taken=hand.replied, trouble=hand.ended(gone))
        except BaseException as error:  # half a message may stand on this connection
            stopped = isinstance(error, asyncio.CancelledError)
            self._wire.fail("was left, as the run was stopped" if stopped else f"was left, as this went wrong: {error}")
            hand.let_go(str(self._wire.end))
            raise
        finally:
            self._used = hand.used
        return Ending(taken=hand.replied)

    async def _send(self, hand: Hand) -> None:
        if not self.offers.pipelining:
            await manners.plain(hand)
        elif self.offers.chunking:
            await manners.chunked(hand, self._relay.in_flight)
        else:
            await manners.grouped(hand)

    async def close(self) -> None:
        """Take leave in good order, or end the connection where that takes too long."""
        try:
            async with asyncio.timeout(self._wire.timeouts.leave):
                with suppress(Gone):
                    await self._wire.ask("QUIT")
                await self._wire.close()
        except TimeoutError:
            self._wire.fail("did not answer QUIT")
