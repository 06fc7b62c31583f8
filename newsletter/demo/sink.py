"""A mail server of the demo's own: takes everything over real SMTP and files it in a Maildir."""

import mailbox
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Filing:
    """Files each message as it came, under the two lines that a delivering server adds (RFC 5321 4.4)."""

    def __init__(self, maildir: Path) -> None:
        self.box = mailbox.Maildir(maildir, create=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Write one file for each recipient, then take responsibility."""
        assert isinstance(envelope.content, bytes)
        for recipient in envelope.rcpt_tos:
            trace = f"Return-Path: <{envelope.mail_from}>\r\nDelivered-To: {recipient}\r\n"
            self.box.add(trace.encode() + envelope.content)
        return "250 2.0.0 filed"


@contextmanager
def listening(maildir: Path) -> Iterator[int]:
    """Run the server on a free loopback port for the length of the block; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    controller = Controller(Filing(maildir), hostname="127.0.0.1", port=port, server_hostname="localhost")
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def recipients(maildir: Path) -> list[str]:
    """Return whom each filed message was delivered to, one entry a message."""
    box, heads = mailbox.Maildir(maildir, factory=None, create=False), BytesHeaderParser()
    filed = (box.get_bytes(key).partition(b"\n\n")[0] for key in box.keys())  # noqa: SIM118
    return [parseaddr(heads.parsebytes(head)["Delivered-To"])[1] for head in filed]


def one(maildir: Path) -> Path:
    """Return the file of one message."""
    return min((maildir / "new").iterdir())
