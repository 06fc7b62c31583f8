"""The commands of one mail transaction, and the text as DATA carries it."""

import re

from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.delivery.smtp.offers import Offers

_XTEXT = re.compile(r"[^!-*,-<>-~]")
_UNITEXT = re.compile(r"[^!-*,-<>-\[\]-~]")
_DOT = re.compile(rb"\n\.")  # finds nothing in half the time that `in` takes for the same


def opening(envelope: Envelope, offers: Offers, relay: object) -> tuple[bytes, bytes] | Outcome:
    """Return MAIL and RCPT, or why this message cannot go by this relay."""
    international = envelope.smtputf8 or not (envelope.recipient.isascii() and envelope.sender.isascii())
    lacking = _lacking(envelope, offers, international)
    if lacking:
        fault, words = lacking
        return Outcome(Kind.FAILED, 0, f"{relay} {words}", fault)
    mail = f"MAIL FROM:<{envelope.sender}>{_of_mail(envelope, offers, international)}"
    rcpt = f"RCPT TO:<{envelope.recipient}>"
    if offers.dsn:
        rcpt += f" NOTIFY=FAILURE,DELAY ORCPT={original(envelope.recipient)}"
    if "\n" in mail or "\r" in mail or "\n" in rcpt or "\r" in rcpt:  # it would be a command of its own
        return Outcome(Kind.FAILED, 0, "a line break stands in the address; correct it", Fault.REFUSED)
    return f"{mail}\r\n".encode(), f"{rcpt}\r\n".encode()


def _lacking(envelope: Envelope, offers: Offers, international: bool) -> tuple[Fault, str] | None:
    if international and not offers.smtputf8:
        return Fault.UNSUPPORTED_ADDRESS, "does not offer SMTPUTF8 (RFC 6531)"
    if not offers.eight_bit and not envelope.ascii:
        fault = Fault.UNSUPPORTED_ADDRESS if international else Fault.CONTENT
        return fault, "does not offer 8BITMIME (RFC 6152)"
    if 0 < offers.size < envelope.size:
        words = f"takes messages of up to {offers.size:,} bytes (RFC 1870), and this one has {envelope.size:,}"
        return Fault.CONTENT, words
    return None


def _of_mail(envelope: Envelope, offers: Offers, international: bool) -> str:
    parameters = f" SIZE={envelope.size}" if offers.sizes else ""
    if international:
        parameters += " SMTPUTF8"
    if offers.eight_bit and (international or not envelope.ascii):
        parameters += " BODY=8BITMIME"
    if offers.dsn and envelope.envid:
        parameters += f" RET=HDRS ENVID={envelope.envid}"
    return parameters


def original(recipient: str) -> str:
    """Return the address as ORCPT has it (RFC 3461 4.2; RFC 6533 3 where it is not ASCII)."""
    if recipient.isascii():
        return "rfc822;" + _XTEXT.sub(lambda found: f"+{ord(found[0]):02X}", recipient)
    return "utf-8;" + _UNITEXT.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", recipient)


def stuffed(envelope: Envelope) -> tuple[bytes, ...]:
    """Return the parts of the message as DATA carries it: dots at line starts doubled, the final dot added.

    RFC 5321 4.5.2. A message that is said to have no such dots is not looked through.
    """
    parts = envelope.parts
    if not envelope.clean:
        message = envelope.message
        text = message.replace(b"\r\n.", b"\r\n..") if _DOT.search(message) else message
        parts = (b".", text) if message.startswith(b".") else (text,)
    return *parts, b".\r\n" if parts[-1].endswith(b"\r\n") else b"\r\n.\r\n"


def chunk(envelope: Envelope) -> tuple[bytes, ...]:
    """Return BDAT with the message whole, which ends in a line break as by DATA (RFC 3030 2)."""
    end = b"" if envelope.parts[-1].endswith(b"\r\n") else b"\r\n"
    return b"BDAT %d LAST\r\n" % (envelope.size + len(end)), *envelope.parts, end
