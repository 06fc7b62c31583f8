"""Signed tokens in links: two numbers and a purpose that nobody can forge, and nothing to look up.

A token is base64url (RFC 4648 section 5, no padding) of key id (1 byte), two numbers (4 bytes each) and the first
16 bytes of an HMAC-SHA256 over the purpose and all that: 34 characters, so a link stays under 76 and no mail library
folds it.
"""

import binascii
import hmac
import re
import secrets
import struct
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Self

from subscribers.errors import BadValue
from subscribers.macs import Mac

_BODY = struct.Struct(">BII")
_MAC = 16
_LENGTH = 34
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_LINE = re.compile(r"([0-9]{1,3}):([0-9a-fA-F]{64})")


class Purpose(StrEnum):
    """What a link does; a token for one purpose is worthless for another."""

    #: leaves one list: (subscriber, list); subscriber 0 stands in a test message
    UNSUBSCRIBE = "unsubscribe"
    #: shows and changes one reader's topics: (subscriber, 0)
    PREFERENCES = "preferences"
    #: shows an issue in the browser: (issue, 0)
    ISSUE = "issue"
    #: counts that a link of a copy was followed, and leads on: (issue, subscriber)
    CLICK = "click"
    #: no link: where a copy that cannot be delivered returns to: (issue, subscriber)
    BOUNCE = "bounce"
    #: no link: when a form was shown: (seconds since 1970, 0)
    FORM = "form"
    #: no link: the keyed hash of an erased address
    ERASURE = "erasure"


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """The keys of a publication: every one verifies, the newest signs."""

    keys: dict[int, bytes] = field(repr=False)
    newest: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the keys of a key file, one `ID:KEY` a line; the last line is the newest."""
        keys: dict[int, bytes] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            # The line itself stays out of the message: most of it is the secret.
            found = _LINE.fullmatch(line.strip())
            if not found or not 1 <= int(found[1]) <= 255:
                raise BadValue(f"line {number}", "a line of the key file is ID:KEY, 1 to 255 and 64 hexadecimal digits")
            if int(found[1]) in keys:
                raise BadValue(f"line {number}", f"key {found[1]} stands in the file already; give each its own number")
            keys[int(found[1])] = bytes.fromhex(found[2])
        if not keys:
            raise BadValue("", "the key file holds no key; a line is ID:KEY, 1 to 255 and 64 hexadecimal digits")
        return cls(keys=keys, newest=list(keys)[-1])


def generate() -> str:
    """Return the text of a fresh key file."""
    return f"1:{secrets.token_hex(32)}\n"


def rotated(text: str) -> tuple[int, str]:
    """Return the number of a fresh key, and the text of a key file with it as the newest; the older ones stay."""
    number = max(Keyring.parse(text).keys) + 1
    if number > 255:  # it has one byte in a token
        raise BadValue("", "the key file holds key 255, the last there can be; start a new file once its links are old")
    return number, f"{text.rstrip()}\n{number}:{secrets.token_hex(32)}\n"


class Sealer:
    """The newest key for one purpose, made ready once for tokens by the thousand."""

    __slots__ = ("_mac", "_number")

    def __init__(self, keyring: Keyring, purpose: Purpose) -> None:
        self._number = keyring.newest
        self._mac = _mac(keyring.keys[keyring.newest], purpose)

    def seal(self, first: int, second: int = 0) -> bytes:
        """Return the 25 bytes of a token, for places that need a spelling of their own."""
        body = _BODY.pack(self._number, first, second)
        return body + self._mac.digest(body)[:_MAC]

    def sign(self, first: int, second: int = 0) -> str:
        """Return the token that says the two numbers."""
        return _spelled(self.seal(first, second))


def sign(keyring: Keyring, purpose: Purpose, first: int, second: int = 0) -> str:
    """Return the token that says the two numbers for one purpose."""
    return Sealer(keyring, purpose).sign(first, second)


def _spelled(raw: bytes) -> str:
    return b2a_base64(raw).translate(_URL_SAFE)[:_LENGTH].decode("ascii")


def read(keyring: Keyring, purpose: Purpose, token: str) -> tuple[int, int] | None:
    """Return the two numbers of a token that one of our keys signed for this purpose, None for anything else."""
    if len(token) != _LENGTH or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "==")
    except binascii.Error:
        return None
    # One token, one spelling: the decoder skips foreign characters and ignores the four bits left over at the end.
    if _spelled(raw) != token:
        return None
    return unseal(keyring, purpose, raw)


def unseal(keyring: Keyring, purpose: Purpose, raw: bytes) -> tuple[int, int] | None:
    """Return the two numbers of the 25 bytes of a token, None where none of our keys sealed them for this purpose."""
    if len(raw) != _BODY.size + _MAC:
        return None
    body, mac = raw[: _BODY.size], raw[_BODY.size :]
    number, first, second = _BODY.unpack(body)
    key = keyring.keys.get(number)
    if key is None or not hmac.compare_digest(mac, _mac(key, purpose).digest(body)[:_MAC]):
        return None
    return first, second


@lru_cache(maxsize=256)
def _mac(key: bytes, purpose: Purpose) -> Mac:
    return Mac(key, purpose.encode("ascii") + b"\0")
