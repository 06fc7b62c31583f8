"""The signature that says a message is the desk's own (RFC 6376), by RSA and, for who wants both, Ed25519 (RFC 8463).

Headers are signed relaxed, as relays fold and unfold them; the body simple, as nothing on the way has to change it: it
is all quoted-printable in short lines.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import cycle

from newsletter.delivery import keys
from newsletter.delivery.keys import SigningKey
from newsletter.settings import Settings

#: What is signed where it is there. X-Auto-Response-Suppress is not: Exchange takes it off.
COVERED = frozenset((
    "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type", "list-id",
    "list-post", "list-unsubscribe", "list-unsubscribe-post", "feedback-id", "precedence", "auto-submitted",
))  # fmt: skip
#: What is signed once more than it is there, so that nobody can add another on the way (RFC 6376 8.15).
SEALED = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version", "content-type",
    "content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
#: How many bytes a SHA-256 has.
HASH = 32
_WIDTH = 72


def signer(settings: Settings, *, at: datetime) -> "Signer | None":
    """Return what signs the mail of that moment, None where the desk does not sign; refuse unsound keys."""
    found = keys.of(settings)
    return Signer(found, at=at) if found else None


@dataclass(slots=True)
class Unsigned:
    """The signatures of one message, but for their proofs; `hashes` are those that each key is to sign, in a row."""

    hashes: bytes
    #: what stands before each proof, and how many bytes that one has
    openings: list[tuple[bytes, int]]

    def signed(self, proofs: bytes) -> bytes:
        """Return them as header lines, with the proofs for the hashes."""
        made, start = b"", 0
        for opening, length in self.openings:
            made += opening + _folded(b64encode(proofs[start : start + length])) + b"\r\n"
            start += length
        return made


class Signer:
    """Signs the messages of one moment, the issue's, so that a copy sent again has the same bytes.

    Any number of threads may call it at once; the library lets go of the interpreter while it signs.
    """

    def __init__(self, hands: Iterable[SigningKey], *, at: datetime) -> None:
        self._hands = tuple((hand, *_opening(hand, at)) for hand in hands)
        #: how many bytes the hashes of one message have, and the proofs for them
        self.asked, self.given = HASH * len(self._hands), sum(hand.length for hand, *_ in self._hands)

    def sign(self, head: Iterable[bytes], digest: bytes) -> bytes:
        """Return the signatures as header lines, to stand before the head."""
        made = self.unsigned(head, digest)
        return made.signed(self.prove(made.hashes))

    def unsigned(self, head: Iterable[bytes], digest: bytes) -> Unsigned:
        """Return the signatures but for their proofs.

        `head` is the header in pieces, each of whole lines; `digest` the SHA-256 of the body, which must end with
        exactly one line break (RFC 6376 3.4.3).
        """
        names, lines = zip(*map(_relaxed, head), strict=True)
        listed, signed = _listed("".join(names))
        data, body = b"".join(lines), b64encode(digest)
        hashes, openings = b"", []
        for hand, opening, relaxed in self._hands:
            hashes += sha256(b"".join((data, relaxed, signed, body, b"; b="))).digest()
            openings.append((b"".join((opening, listed, body, b";\r\n b=")), hand.length))
        return Unsigned(hashes, openings)

    def prove(self, hashes: bytes) -> bytes:
        """Return the proofs for the hashes of any number of messages, in the same order."""
        each = (hashes[start : start + HASH] for start in range(0, len(hashes), HASH))
        return b"".join([hand.sign(digest) for digest, (hand, *_) in zip(each, cycle(self._hands), strict=False)])


def _folded(proof: bytes) -> bytes:
    return b"\r\n ".join([proof[start : start + _WIDTH] for start in range(0, len(proof), _WIDTH)])


def _opening(hand: SigningKey, at: datetime) -> tuple[bytes, bytes]:
    """Return what each signature of a key begins with: as it is sent, and as it is signed."""
    made = (
        f"DKIM-Signature: v=1; a={hand.algorithm}; c=relaxed/simple;\r\n"
        f" d={hand.domain}; s={hand.selector}; t={int(at.timestamp())};\r\n"
    ).encode()
    return made, b"dkim-signature:" + made.partition(b": ")[2].replace(b"\r\n", b"")


@lru_cache(maxsize=256)
def _listed(names: str) -> tuple[bytes, bytes]:
    """Return the list of the signed headers: as it is sent, and as it is signed."""
    lines = [" h="]
    for name in (*names.split(), *SEALED):
        if len(lines[-1]) + len(name) > _WIDTH:
            lines.append(" ")
        lines[-1] += f"{name}:"
    made = ("\r\n".join(lines).removesuffix(":") + ";\r\n bh=").encode()
    return made, made.replace(b"\r\n", b"")


@lru_cache(maxsize=256)
def _relaxed(lines: bytes) -> tuple[str, bytes]:
    """Return the names of those header lines that are signed, each with a blank after it, and what is signed of them.

    What all copies have in common is looked at once: it is among the newest of the cache for each of them.
    """
    names, made = "", b""
    for line in lines.replace(b"\r\n ", b" ").split(b"\r\n"):
        name, _, value = line.partition(b":")
        known = _covered(name)
        if known:
            names += f"{known} "
            made += b"%s:%s\r\n" % (known.encode(), b" ".join(value.split()))
    return names, made


@lru_cache(maxsize=64)
def _covered(name: bytes) -> str:
    """Return a header's name as it is signed, nothing where it is not."""
    lower = name.decode("ascii").lower()
    return lower if lower in COVERED else ""
