"""What a server says of itself in its reply to EHLO."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Offers:
    """The extensions that a server has (RFC 5321 4.1.1.1); none where it only knew HELO."""

    #: keyword in capitals and its parameters
    extensions: dict[str, str] = field(default_factory=dict)
    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    starttls: bool = False
    #: whether the size of a message may be told beforehand, and the largest one; 0 is no limit that is known
    sizes: bool = False
    size: int = 0
    #: the mechanisms to log in by, in capitals
    auth: frozenset[str] = frozenset()


def read(text: str) -> Offers:
    """Return the offers in the reply to EHLO, whose first line is a greeting."""
    found: dict[str, str] = {}
    for line in text.splitlines()[1:]:
        # "AUTH=PLAIN LOGIN" is what servers said before there was a standard, and some say both.
        keyword, _, rest = line.replace("AUTH=", "AUTH ", 1).strip().partition(" ")
        found[keyword.upper()] = f"{found.get(keyword.upper(), '')} {rest}".strip()
    size = found.get("SIZE", "").partition(" ")[0]
    return Offers(
        extensions=found,
        pipelining="PIPELINING" in found,
        chunking="CHUNKING" in found,
        eight_bit="8BITMIME" in found,
        smtputf8="SMTPUTF8" in found,
        dsn="DSN" in found,
        starttls="STARTTLS" in found,
        sizes="SIZE" in found,
        size=int(size) if size.isdecimal() and size.isascii() else 0,
        auth=frozenset(found.get("AUTH", "").upper().split()),
    )
