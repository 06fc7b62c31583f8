"""A letter on its way: one message to one reader about their own subscription, outside the ledger."""

import secrets
from datetime import datetime
from email.utils import format_datetime, parseaddr

from newsletter.delivery import dkim, few, headers, message
from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Outcome
from newsletter.rendering import compiled
from newsletter.rendering.letters import Letter
from newsletter.settings import Settings


def assemble(settings: Settings, letter: Letter, *, to: str, now: datetime) -> tuple[str, Envelope]:
    """Return the letter as a message for the relay, and its Message-ID."""
    name, address = parseaddr(settings.require("sender.from", "a letter"))
    sender, recipient = message.ascii_address(address, "from"), message.wire_address(to)
    message_id = f"<letter.{secrets.token_hex(16)}@{sender.rpartition('@')[2]}>"
    body = compiled.compile(letter.html, letter.text, boundary=f"letter-{secrets.token_hex(8)}")
    head = [headers.mailbox("From", name, sender)]
    if settings.sender.reply_to:
        shown, answers = parseaddr(settings.sender.reply_to)
        head.append(headers.mailbox("Reply-To", shown, message.ascii_address(answers, "reply_to")))
    head += [
        headers.text("Subject", letter.subject),
        headers.line("Date", format_datetime(now)),
        headers.line("To", recipient),
        headers.line("Message-ID", message_id),
        b"Auto-Submitted: auto-generated\r\n",  # RFC 3834 5: no vacation notice answers it
        b"X-Auto-Response-Suppress: OOF, AutoReply\r\nMIME-Version: 1.0\r\n",
        headers.line("Content-Type", body.content_type),
        b"\r\n",
    ]
    parts = body.parts({})
    signer = dkim.signer(settings, at=now)
    signed = signer.sign(head, body.digest(parts)) if signer else b""
    return message_id, Envelope(
        sender=sender,
        recipient=recipient,
        delivery_id=0,
        parts=(signed, *head, *parts),
        smtputf8=not recipient.isascii(),
        clean=True,
    )


def send(settings: Settings, envelope: Envelope) -> Outcome:
    """Hand one message to the first relay that takes it; RelayError where none can be used."""
    ((_, outcome),) = few.send(settings, [envelope])
    return outcome
