"""Where a copy returns to that cannot be delivered: an address of its own, which says whose copy of which issue it was.

The local part is `b+TOKEN`: case and what mail servers make of the plus change nothing, and nobody can forge one. The
token alone is the copy's envelope identifier (RFC 3461 4.4), which delivery status notifications bring back.
"""

import re
from dataclasses import dataclass

from subscribers import tokens
from subscribers.tokens import Keyring, Purpose, Sealer

# 25 bytes as 50 hexadecimal digits: one spelling, but for case, and with "b+" well within a local part's 64 (RFC 5321
# 4.5.3.1.1). Base32 would be ten shorter, and costs Python more than all the rest of a token.
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{50}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Return:
    """One reader's copy of one issue; subscriber 0 is a test message's."""

    issue_id: int
    subscriber_id: int


def sealer(keyring: Keyring) -> Sealer:
    """Return what makes the tokens."""
    return Sealer(keyring, Purpose.BOUNCE)


def token(sealer: Sealer, issue_id: int, subscriber_id: int) -> str:
    """Return what names the copy to us, and to nobody else: 50 hexadecimal digits."""
    return sealer.seal(issue_id, subscriber_id).hex()


def address(token: str, domain: str) -> str:
    """Return the envelope sender of the copy that has the token."""
    return f"b+{token}@{domain}"


def read(keyring: Keyring, text: str) -> Return | None:
    """Return the copy that an address, an envelope identifier or another short text names; None where it is not ours.

    A server that forwards may have wrapped our address in its own, so the token may stand anywhere in it.
    """
    for found in _TOKEN.finditer(text):
        numbers = tokens.unseal(keyring, Purpose.BOUNCE, bytes.fromhex(found[0]))
        if numbers is not None:
            return Return(*numbers)
    return None
