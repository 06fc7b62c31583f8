"""The signature that says a message is the desk's own (RFC 6376), by RSA and, for who wants both, Ed25519 (RFC 8463).

Headers are signed relaxed, as relays fold and unfold them; the body simple, as nothing on the way has to change it: it
is all quoted-printable in short lines.
"""

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

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
_WIDTH = 72


def signer(settings: Settings, *, at: datetime) -> "Signer | None":
    """Return what signs the mail of that moment, None where the desk does not sign; refuse unsound keys."""
    found = keys.of(settings)
    return Signer(found, at=at) if found else None


class Signer:
    """Signs the messages of one moment, the issue's, so that a copy sent again has the same bytes.

    Any number of threads may call it at once; the library lets go of the interpreter while it signs.
    """

    def __init__(self, hands: Iterable[SigningKey], *, at: datetime) -> None:
        self._hands = tuple((hand, *_opening(hand, at)) for hand in hands)

    def sign(self, head: Iterable[bytes], digest: bytes) -> bytes:
        """Return the signatures as header lines, to stand before the head.

        `head` is the header in pieces, each of whole lines; `digest` the SHA-256 of the body, which must end with
        exactly one line break (RFC 6376 3.4.3).
        """
        names, lines = zip(*map(_relaxed, head), strict=True)
        listed, signed = _listed("".join(names))
        data, body = b"".join(lines), b64encode(digest)
        made: list[bytes] = []
        for hand, opening, relaxed in self._hands:
            proof = b64encode(hand.sign(b"".join((data, relaxed, signed, body, b"; b="))))
            folded = b"\r\n ".join([proof[start : start + _WIDTH] for start in range(0, len(proof), _WIDTH)])
            made += opening, listed, body, b";\r\n b=", folded, b"\r\n"
        return b"".join(made)


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
