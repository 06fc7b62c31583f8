"""What every message must be, whatever it says."""

from email import message_from_bytes, policy
from email.message import EmailMessage

ONCE = (
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
    "List-Post", "Feedback-ID", "Precedence", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
)  # fmt: skip


def lint(data: bytes) -> EmailMessage:
    """Return the message, parsed by a library that is not ours; fail where its bytes break a rule."""
    assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")  # RFC 5321 2.3.8
    assert b"\0" not in data
    assert max(len(line) for line in data.split(b"\r\n")) <= 998  # RFC 5322 2.1.1
    assert not data.startswith(b".")
    assert b"\n." not in data  # so nobody looks for dots to double (RFC 5321 4.5.2)
    assert data.endswith(b"\r\n")
    head = data.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert set(ONCE) <= set(names)
    assert len(names) == len(set(names))
    assert set(names) <= {*ONCE, "Reply-To"}
    for line in head.split(b"\r\n"):
        assert line.strip(), "a line of blanks folds nothing (RFC 5322 3.2.2)"
        if line.startswith((b"List-Unsubscribe:", b"Message-ID:", b"Feedback-ID:", b"To:", b"Date:")):
            assert b"=?" not in line
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    for part in message.iter_parts():
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
    return message


def raw(data: bytes, name: str) -> bytes:
    """Return one header's value as it stands on the wire, folds and all."""
    head = b"\r\n" + data.partition(b"\r\n\r\n")[0] + b"\r\n"
    start = head.index(f"\r\n{name}: ".encode()) + len(name) + 4
    end = start
    while True:
        end = head.index(b"\r\n", end)
        if head[end + 2 : end + 3] not in (b" ", b"\t"):
            return head[start:end]
        end += 2
