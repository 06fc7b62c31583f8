"""The error for a relay that cannot be used."""

from newsletter.errors import RelayError
from newsletter.transport import Relay


def where(relay: Relay) -> str:
    """Return the relay's name and where it listens."""
    return f"relay {relay.name} at {relay.host}:{relay.port}"


def unusable(relay: Relay, reason: str, *, temporary: bool = False) -> RelayError:
    """Return the error that names the relay and the reason; the next step is that of whoever meets with it."""
    return RelayError(f"{where(relay)} {reason}", temporary=temporary)
