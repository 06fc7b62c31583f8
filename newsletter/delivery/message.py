"""The message for one reader: headers of its own around the issue's compiled body."""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from newsletter.delivery import dkim, headers, returns
from newsletter.delivery.dkim import Signer, Unsigned
from newsletter.delivery.reader import Reader
from newsletter.errors import BadInput
from newsletter.rendering import slots, tracked
from newsletter.rendering.compiled import Compiled
from newsletter.rendering.personal import Decision
from newsletter.rendering.rendered import Rendered
from newsletter.rendering.slots import MARK, Piece, Slot
from newsletter.settings import Settings
from subscribers import addresses
from subscribers.errors import BadAddress
from subscribers.macs import Mac
from subscribers.tokens import Keyring, Purpose, Sealer


@dataclass(slots=True)  # not frozen: that takes several times as long to make, and one is made for every reader
class Envelope:
    """One message on its way to one reader, as the relay gets it."""

    sender: str
    recipient: str
    delivery_id: int
    #: the message in pieces that follow each other; those that copies have in common are the same objects
    parts: tuple[bytes, ...]
    smtputf8: bool = False
    #: what a delivery status notification returns to say which copy it is about (RFC 3461 4.4); xtext, or empty
    envid: str = ""
    #: whether it surely has no line that begins with a dot (RFC 5321 4.5.2), and nothing beyond ASCII but an address,
    #: so that nobody need look
    clean: bool = False
    #: the signatures that are to stand before it, while they lack their proofs
    unsigned: Unsigned | None = None
    #: how many bytes the message has
    size: int = field(init=False)

    def __post_init__(self) -> None:
        """Measure the message."""
        self.size = sum(map(len, self.parts))

    @property
    def ascii(self) -> bool:
        """Return whether the message has nothing beyond ASCII."""
        return (self.clean and not self.smtputf8) or all(map(bytes.isascii, self.parts))

    @property
    def message(self) -> bytes:
        """Return the message as a whole."""
        return b"".join(self.parts)

    def sign(self, proofs: bytes) -> None:
        """Put the signatures before the message."""
        if self.unsigned:
            signed, (head, *rest) = self.unsigned.signed(proofs), self.parts
            self.parts, self.size, self.unsigned = (signed + head, *rest), self.size + len(signed), None


@dataclass(frozen=True, kw_only=True)
class Masthead:
    """What the headers of every copy of an issue have in common."""

    issue_id: int
    url: str
    domain: str
    #: the address of From, to which copies return where there is no domain for bounces
    sender: str
    #: where each copy returns to an address of its own; else empty
    bounce_domain: str
    #: what makes the tokens of the links, and of the address that the copy returns to
    leaving: Sealer
    choosing: Sealer
    following: Sealer
    returning: Sealer
    #: what makes a Message-ID
    secret: Mac
    #: From and Reply-To, ready for the wire
    opening: bytes
    #: in pieces, as it may differ by reader
    subject: tuple[Piece, ...]
    date: bytes
    #: From to Date, ready for the wire where the subject is the same for every reader
    alike: bytes | None
    #: what signs the copies; None where the desk leaves that to its relay
    signer: Signer | None
    #: distinguishes test messages, which may be sent again and again; empty for the issue itself
    salt: str = ""


def masthead(
    settings: Settings, issue_id: int, *, subject: str, date: datetime, keyring: Keyring, salt: str = ""
) -> Masthead:
    """Return the headers that every copy shares; `date` is the issue's, so that a copy sent again is the same."""
    url = settings.require("publication.public_url", "a send").rstrip("/")
    display, address = parseaddr(settings.require("sender.from", "a send"))
    address = ascii_address(address, "from")
    opening = headers.mailbox("From", display, address)
    if settings.sender.reply_to:
        name, reply_to = parseaddr(settings.sender.reply_to)
        opening += headers.mailbox("Reply-To", name, ascii_address(reply_to, "reply_to"))
    dated = headers.line("Date", format_datetime(date))
    alike = None if MARK.search(subject) else opening + headers.text("Subject", subject) + dated
    headers.uri("List-Unsubscribe", f"{url}/u/{'x' * 40}")  # before anybody is claimed, not at the first reader
    bounces = settings.sender.bounce_domain
    return Masthead(
        issue_id=issue_id,
        url=url,
        domain=address.rpartition("@")[2],
        sender=address,
        bounce_domain=bounces and ascii_address(f"b@{bounces}", "bounce_domain").rpartition("@")[2],
        leaving=Sealer(keyring, Purpose.UNSUBSCRIBE),
        choosing=Sealer(keyring, Purpose.PREFERENCES),
        following=Sealer(keyring, Purpose.CLICK),
        returning=returns.sealer(keyring),
        secret=_secret(keyring),
        opening=opening,
        subject=tuple(slots.pieces(subject)),
        date=dated,
        alike=alike,
        signer=dkim.signer(settings, at=date),
        salt=salt,
    )


def assemble(masthead: Masthead, compiled: Compiled, reader: Reader) -> Envelope:
    """Return the reader's message; the same reader and issue give the same bytes each time."""
    made = draft(masthead, compiled, reader)
    if masthead.signer and made.unsigned:
        made.sign(masthead.signer.prove(made.unsigned.hashes))
    return made


def draft(masthead: Masthead, compiled: Compiled, reader: Reader) -> Envelope:
    """Return the reader's message; where the desk signs, its signatures still lack their proofs."""
    recipient = wire_address(reader.email)
    token = returns.token(masthead.returning, masthead.issue_id, reader.subscriber_id)
    values = values_of(masthead, reader)
    decision = compiled.personal.decide(reader.traits)
    head = (
        masthead.alike or _begun(masthead, decision),
        _own(masthead, reader, recipient, values[Slot.UNSUBSCRIBE_URL]),
        _of_list(
            masthead.issue_id, masthead.domain, reader.list_name, reader.list_title, reader.list_identifier,
            compiled.content_type,
        ),
    )  # fmt: skip
    body = compiled.parts(values, decision)
    return Envelope(
        sender=returns.address(token, masthead.bounce_domain) if masthead.bounce_domain else masthead.sender,
        recipient=recipient,
        delivery_id=reader.delivery_id,
        parts=(b"".join(head), *body),
        smtputf8=not recipient.isascii(),
        envid=token,
        clean=True,
        unsigned=masthead.signer.unsigned(head, compiled.digest(body, decision)) if masthead.signer else None,
    )


def own(masthead: Masthead, rendered: Rendered, reader: Reader) -> Rendered:
    """Return the rendering as its reader sees it."""
    shown = tracked.of(rendered) if reader.tracked else rendered
    return shown.own(values_of(masthead, reader), reader.traits)


def values_of(masthead: Masthead, reader: Reader) -> dict[Slot, str]:
    """Return what stands in the slots of the reader's copy."""
    values = {
        Slot.EMAIL: reader.email,
        Slot.LIST_TITLE: reader.list_title,
        Slot.UNSUBSCRIBE_URL: f"{masthead.url}/u/{masthead.leaving.sign(reader.subscriber_id, reader.list_id)}",
        Slot.PREFERENCES_URL: f"{masthead.url}/p/{masthead.choosing.sign(reader.subscriber_id)}",
    }
    if reader.tracked:  # one signature for all the links of a copy
        followed = masthead.following.sign(masthead.issue_id, reader.subscriber_id)
        values[Slot.CLICK_URL] = f"{masthead.url}/c/{followed}"
    return values


def _begun(masthead: Masthead, decision: Decision) -> bytes:
    """Return From to Date where the subject is the reader's own."""
    subject = "".join(
        decision.values[int(piece.words.partition(":")[2])] if piece.hole else piece.words for piece in masthead.subject
    )
    return masthead.opening + headers.text("Subject", subject) + masthead.date


def _own(masthead: Masthead, reader: Reader, recipient: str, leave: str) -> bytes:
    """Return the headers that no other copy has."""
    # Of the reader there are only numbers in the last two, and masthead() has looked at the rest of them.
    made = f"Message-ID: {message_id(masthead, reader)}\r\nList-Unsubscribe: <{leave}>\r\n"
    return headers.line("To", recipient) + made.encode()


@lru_cache(maxsize=1024)
def _of_list(issue_id: int, domain: str, name: str, title: str, identifier: str, content_type: str) -> bytes:
    """Return the headers that the copies of one list have in common, and the empty line after them."""
    return b"".join((
        headers.list_id(title, identifier or f"{name}.{domain}"),
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        b"List-Post: NO\r\n",  # readers cannot write to the list (RFC 2369 3.4)
        headers.line("Feedback-ID", f"{issue_id}:{name}:newsletter:{_sender_id(domain)}"),
        b"Precedence: bulk\r\n",
        # Never "All" or "NDR": those keep Exchange from telling us that an address is dead (MS-OXCMAIL 2.1.3.2.20).
        b"X-Auto-Response-Suppress: OOF, AutoReply\r\n",
        b"MIME-Version: 1.0\r\n",
        headers.line("Content-Type", content_type),
        b"\r\n",
    ))  # fmt: skip


def message_id(masthead: Masthead, reader: Reader) -> str:
    """Return the Message-ID that every attempt at this copy carries; nobody else can compute it."""
    who = f"{masthead.issue_id}.{reader.subscriber_id}"
    seed = f"{who}.{masthead.salt}.{reader.email}" if masthead.salt else who
    return f"<{who}.{masthead.secret.digest(seed.encode())[:8].hex()}@{masthead.domain}>"


def wire_address(email: str) -> str:
    """Return the address as SMTP has it: the domain in ASCII (RFC 5891); the local part may still need SMTPUTF8."""
    headers.one_line(email, "an address")
    try:
        return addresses.on_the_wire(email)
    except BadAddress as error:
        raise BadInput(f"{error}; correct it or take it off the list") from error


def ascii_address(email: str, key: str) -> str:
    """Return the desk's own address for the wire; SMTPUTF8 here would ask it of every reader's server."""
    made = wire_address(email)
    if not made.isascii():
        raise BadInput(f"{key} in [sender] of newsletter.toml is {email!r}; its part before the @ must be ASCII")
    return made


def _secret(keyring: Keyring) -> Mac:
    # The first key, not the one that signs: adding a key in the middle of an issue must not change its Message-IDs.
    first = next(iter(keyring.keys.values()))
    return Mac(Mac(first).digest(b"message-id"))


def _sender_id(domain: str) -> str:
    """Return the last field of a Feedback-ID: 5 to 15 characters that stay the same for this sender."""
    return "".join(mark for mark in domain if mark.isalnum())[:15].ljust(5, "0")
