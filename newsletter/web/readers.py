"""A reader, as their own pages show them."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from subscribers import changes, subscribers, subscriptions
from subscribers.changes import Change
from subscribers.models import Frequency, SubscriptionState
from subscribers.subscriptions import Standing
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who holds the link: the address with its middle hidden, and where they stand on each list."""

    id: int
    address: str
    frequency: Frequency
    standings: tuple[Standing, ...]
    suppressed: bool
    paused_until: datetime | None

    def on(self, list_id: int) -> Standing | None:
        """Return where the reader stands on one list, None when they never joined it."""
        return next((standing for standing in self.standings if standing.list_id == list_id), None)

    @property
    def live(self) -> tuple[Standing, ...]:
        """Return the lists that the reader has not left."""
        return tuple(each for each in self.standings if each.state != SubscriptionState.UNSUBSCRIBED)


def find(session: Session, subscriber_id: int) -> Reader | None:
    """Return the reader, None when the desk no longer knows them."""
    known = subscribers.get(session, subscriber_id)
    if known is None:
        return None
    standings = tuple(subscriptions.of(session, subscriber_id))
    return Reader(
        id=subscriber_id, address=masked(known.email), frequency=Frequency(known.frequency), standings=standings,
        suppressed=bool(known.suppressed), paused_until=known.paused_until,
    )  # fmt: skip


def choose(session: Session, subscriber_id: int, frequency: Frequency, *, keyring: Keyring) -> None:
    """Let the reader have issues as often as they say, whatever list brings them."""
    known = subscribers.get(session, subscriber_id)
    if known is not None:
        changes.apply(session, known.email, Change(frequency=frequency), keyring=keyring)


def masked(email: str) -> str:
    """Return the address with only its first letter and its domain: a forwarded link must not give it away."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••@{domain}"
