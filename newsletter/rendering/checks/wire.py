"""Rules about the message as it leaves, held against a sample reader's copy byte for byte."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property

from newsletter.rendering.checks.rule import BLOCK, Fault, Rule

LINE = 998  # RFC 5322 2.1.1, without the line break
_ONCE = ("From", "To", "Date", "Subject", "Message-ID", "MIME-Version", "List-Id", "List-Unsubscribe",
         "List-Unsubscribe-Post")  # fmt: skip


@dataclass(frozen=True)
class Wire:
    """A message as it goes to a relay."""

    message: bytes

    @cached_property
    def head(self) -> str:
        """Return the header lines as they stand."""
        return self.message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Return each header with its value as it stands, unfolded and not decoded."""
        lines = re.sub(r"\r?\n(?=[ \t])", "", self.head).splitlines()
        return [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def values(self, name: str) -> list[str]:
        """Return the values of the headers of that name."""
        return [value for each, value in self.fields if each == name.lower()]

    @cached_property
    def parsed(self) -> EmailMessage:
        """Return the message as a mail program reads it."""
        return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(self.message)

    @property
    def leaves(self) -> list[EmailMessage]:
        """Return the parts that hold something."""
        return [part for part in self.parsed.walk() if not part.is_multipart()]


def _once(wire: Wire) -> Iterator[Fault]:
    for name in _ONCE:
        number = len(wire.values(name))
        if number != 1:
            yield "headers", f"{name} stands {number} times"


def _one_click(wire: Wire) -> Iterator[Fault]:
    for value in wire.values("List-Unsubscribe"):
        if not re.fullmatch(r"<https://[!-;=?-~]+>", value):
            yield "headers", f"List-Unsubscribe is {value[:120]!r}, not one https address in angle brackets"
    for value in wire.values("List-Unsubscribe-Post"):
        if value != "List-Unsubscribe=One-Click":
            yield "headers", f"List-Unsubscribe-Post is {value[:120]!r}"


def _encoded(wire: Wire) -> Iterator[Fault]:
    for name, value in wire.fields:
        # The words before an identifier may be encoded (RFC 2919 2), what stands in angle brackets never.
        bare = "".join(re.findall(r"<[^>]*>", value)) if name == "list-id" else value
        if name.startswith("list-") and "=?" in bare:
            yield "headers", f"{name} holds an encoded word: {value[:120]!r}"


def _breaks(wire: Wire) -> Iterator[Fault]:
    rest = wire.message.replace(b"\r\n", b"")
    if b"\r" not in rest and b"\n" not in rest:
        return
    if found := re.search(rb"(?<!\r)\n|\r(?!\n)", wire.message):
        number = wire.message.count(b"\n", 0, found.start()) + 1
        yield f"line {number}", "a line ends in a bare CR or LF"


def _long(wire: Wire) -> Iterator[Fault]:
    for number, line in enumerate(wire.message.split(b"\r\n"), start=1):
        if len(line) > LINE:
            yield f"line {number}", f"{len(line)} bytes in one line, more than {LINE}"


def _transfer(wire: Wire) -> Iterator[Fault]:
    for part in wire.leaves:
        encoding = str(part.get("Content-Transfer-Encoding", "7bit")).lower()
        if encoding not in ("quoted-printable", "base64"):
            yield part.get_content_type(), f"Content-Transfer-Encoding is {encoding}"


def _alternatives(wire: Wire) -> Iterator[Fault]:
    kinds = [part.get_content_type() for part in wire.leaves]
    if wire.parsed.get_content_type() != "multipart/alternative" or kinds != ["text/plain", "text/html"]:
        yield "message", f"{wire.parsed.get_content_type()} of {', '.join(kinds) or 'nothing'}"


_OURS = "this is a fault of the program or of its settings; look at newsletter preview ISSUE --eml FILE"

RULES: tuple[Rule[Wire], ...] = (
    Rule("email.headers", BLOCK, _once, "a header that is missing, or stands twice",
         "servers refuse or mark mail without them", _OURS),
    Rule("email.one_click", BLOCK, _one_click, "List-Unsubscribe that is no single literal https address, or without "
         "List-Unsubscribe-Post", "Gmail and Yahoo ask for one-click unsubscribing (RFC 8058)",
         "set public_url in [publication] to an https address"),
    Rule("email.header_encoded", BLOCK, _encoded, "an encoded word in the address of a List header",
         "an encoded address is none to the mailbox provider that reads it", _OURS),
    Rule("email.line_break", BLOCK, _breaks, "a bare CR or LF", "servers end the message, or a header, there", _OURS),
    Rule("email.line_long", BLOCK, _long, f"a line of more than {LINE} bytes",
         "mail does not allow it (RFC 5322 2.1.1), and servers cut it", _OURS),
    Rule("email.transfer", BLOCK, _transfer, "a part that is not quoted-printable or base64",
         "servers on the way change other text, and signatures break", _OURS),
    Rule("email.alternatives", BLOCK, _alternatives, "a message that is not a plain text and then the HTML",
         "mail programs show the last part that they can (RFC 2046 5.1.4)", _OURS),
)  # fmt: skip
