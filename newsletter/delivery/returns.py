"""Where a copy returns to that cannot be delivered: an address of its own, which says whose copy of which issue it was.

The local part is `b+TOKEN`: case and what mail servers make of the plus change nothing, and nobody can forge one. The
token alone is the copy's envelope identifier (RFC 3461 4.4), which delivery status notifications bring back.
"""

import re
from base64 import b32decode, b32encode
from dataclasses import dataclass

from subscribers import tokens
from subscribers.tokens import Keyring, Purpose

# 25 bytes are 40 characters of base32 (RFC 4648 6) without a bit left over: so a token has one spelling, but for case.
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z2-7]{40}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Return:
    """One reader's copy of one issue; subscriber 0 is a test message's."""

    issue_id: int
    subscriber_id: int


def token(keyring: Keyring, issue_id: int, subscriber_id: int) -> str:
    """Return what names the copy to us, and to nobody else; letters and digits only."""
    return b32encode(tokens.seal(keyring, Purpose.BOUNCE, issue_id, subscriber_id)).decode("ascii").lower()


def address(token: str, domain: str) -> str:
    """Return the envelope sender of the copy that has the token."""
    return f"b+{token}@{domain}"


def read(keyring: Keyring, text: str) -> Return | None:
    """Return the copy that an address, an envelope identifier or another short text names; None where it is not ours.

    A server that forwards may have wrapped our address in its own, so the token may stand anywhere in it.
    """
    for found in _TOKEN.finditer(text):
        numbers = tokens.unseal(keyring, Purpose.BOUNCE, b32decode(found[0].upper()))
        if numbers is not None:
            return Return(*numbers)
    return None
