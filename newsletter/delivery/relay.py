"""The narrow door between the send loop and whatever carries mail."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Outcome


class Watch(Protocol):
    """Whom a relay asks and tells while it works."""

    def wanted(self, envelope: Envelope) -> bool:
        """Return whether the message may still go out; asked right before each attempt at it."""

    def began(self, envelope: Envelope) -> None:
        """Hear that the message's text may reach the relay from now on."""


class Relay(Protocol):
    """Something that takes messages and says of each what became of it."""

    def send(self, envelopes: Iterable[Envelope], watch: Watch) -> Iterator[tuple[Envelope, Outcome]]:
        """Send the messages in order, and yield each with its outcome, but those that are no longer wanted.

        Raises RelayError when the relay cannot be used at all; then no outcome of the message at hand is due,
        unless `began` was called for it.
        """

    def close(self) -> None:
        """Take leave of the relay."""
