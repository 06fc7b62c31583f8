"""The error for a relay that cannot be used."""

from newsletter.errors import RelayError
from newsletter.settings import FILE
from newsletter.transport import Relay


def where(relay: Relay) -> str:
    """Return the relay's name and where it listens."""
    return f"relay {relay.name} at {relay.host}:{relay.port}"


def unusable(relay: Relay, reason: str, *, temporary: bool = False) -> RelayError:
    """Return the error that names the relay, the reason and the next step."""
    return RelayError(
        f"{where(relay)} {reason}. Correct [[relay]] in {FILE} if it is wrong (newsletter doctor tries it), then run "
        "the same command again",
        temporary=temporary,
    )
