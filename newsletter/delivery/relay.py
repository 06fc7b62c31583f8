"""The narrow door between the send loop and whatever carries mail."""

from dataclasses import dataclass
from typing import Protocol

from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Outcome


class Source(Protocol):
    """Where one connection gets its messages, and whom it tells what became of them.

    Every message that was taken comes to exactly one end: it is settled, given back, or unfit for this relay. All calls
    but `wait` return at once, and are made in the event loop's thread.
    """

    def take(self) -> Envelope | None:
        """Return the next message, which may go out right now; None where there is none at this moment."""

    async def wait(self) -> bool:
        """Return True once `take` is worth another try; False when this connection is to take leave."""

    def began(self, envelope: Envelope) -> None:
        """Hear that the message's text may reach the relay from now on; what this raises ends the connection."""

    def settle(self, envelope: Envelope, outcome: Outcome) -> None:
        """Hear what became of a message."""

    def unfit(self, envelope: Envelope, outcome: Outcome) -> None:
        """Hear that this relay cannot carry a message, which did not go out, and what it comes to if none can."""

    def give_back(self, envelope: Envelope) -> None:
        """Take a message back that surely did not go out, and at whose reader nothing is to be charged."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a conversation ended: `taken` messages had a reply; `trouble` is the 421 or the loss, if that was the end."""

    taken: int
    trouble: Outcome | None = None
