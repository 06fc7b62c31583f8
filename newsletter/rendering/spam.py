"""What SpamAssassin makes of a message: a client of spamd's protocol, as far as one question needs it."""

import re
import socket
from dataclasses import dataclass

TIMEOUT = 20.0
_ANSWER = re.compile(rb"^Spam:\s*\w+\s*;\s*(-?\d+\.?\d*)\s*/\s*(-?\d+\.?\d*)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Report:
    """The score with the names of the rules that made it; or, in `trouble`, why there is none."""

    score: float = 0.0
    threshold: float = 5.0
    rules: tuple[str, ...] = ()
    trouble: str = ""


def ask(address: str, message: bytes, *, timeout: float = TIMEOUT) -> Report:
    """Return what the spamd at `host:port` says of the message."""
    host, _, port = address.rpartition(":")
    question = b"SYMBOLS SPAMC/1.5\r\nContent-length: %d\r\n\r\n%b" % (len(message), message)
    try:
        with socket.create_connection((host, int(port)), timeout=timeout) as connection:
            connection.sendall(question)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except (OSError, OverflowError, UnicodeError) as error:
        return Report(trouble=f"spamd at {address} cannot be asked: {error}")
    found = _ANSWER.search(answer)
    if not answer.startswith(b"SPAMD/") or found is None:
        return Report(trouble=f"{address} does not answer as spamd does: {answer[:80]!r}")
    names = answer.partition(b"\r\n\r\n")[2].decode("ascii", "replace").strip()
    return Report(float(found[1]), float(found[2]), tuple(name for name in re.split(r"[,\s]+", names) if name))
