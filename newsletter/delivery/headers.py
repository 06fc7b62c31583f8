"""Header lines as they go over the wire.

Our own writer, because email.message encodes a List-Unsubscribe address of 76 characters or more (cpython#85725),
and an encoded one is no address to the mailbox provider that reads it (RFC 8058 3.1).
"""

import re
from base64 import b64encode
from collections.abc import Iterator

from newsletter.errors import BadInput

#: Folded lines stay within this; RFC 5322 2.1.1 asks for 78 and allows 998.
WIDTH = 76
LIMIT = 998
_CONTROL = re.compile("[\x00-\x1f\x7f\x80-\x9f\u2028\u2029\ud800-\udfff]")
_URI = re.compile(r"https://[!-;=?-~]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_WORDS = re.compile(r"[!-~]+( [!-~]+)*")
_OCTETS = 45  # 60 characters of base64, and 12 around them: an encoded word may have 75 (RFC 2047 2)


def one_line(text: str, what: str) -> str:
    """Return the text, or refuse control characters: a line break would begin another header (RFC 5322 2.2)."""
    if text.isascii() and text.isprintable():
        return text
    if found := _CONTROL.search(text):
        raise BadInput(
            f"{what} holds the control character {found[0]!a} and cannot stand in a header: {text!r}; take it out"
        )
    return text


def line(name: str, value: str) -> bytes:
    """Return one header line, ready for the wire; the value stands as it is."""
    made = f"{name}: {one_line(value, name)}".encode()
    if len(made) > LIMIT:
        raise BadInput(f"{name} would be {len(made)} bytes long, and mail allows {LIMIT}; shorten it")
    return made + b"\r\n"


def text(name: str, value: str) -> bytes:
    """Return a header of free text, encoded where it must be (RFC 2047) and folded."""
    if not _fits_plain(value):
        return _folded(name, list(_encoded(value, len(name) + 2)), value)
    if len(name) + 2 + len(value) <= WIDTH:
        return f"{name}: {value}\r\n".encode()
    return _folded(name, value.split(" "), value)


def mailbox(name: str, display: str, address: str) -> bytes:
    """Return a header of one mailbox; the display name cannot end early, nor bring a second address."""
    return _folded(name, [*phrase(display, len(name) + 2), f"<{address}>" if display else address], display + address)


def list_id(title: str, identifier: str) -> bytes:
    """Return the list's name for people and for filters (RFC 2919 2)."""
    return _folded("List-Id", [*phrase(title, 9), f"<{identifier}>"], title + identifier)


def uri(name: str, address: str) -> bytes:
    """Return a header of one literal address in angle brackets: never encoded, never folded (RFC 2369 2)."""
    if not _URI.fullmatch(address):
        raise BadInput(f"{name} needs a plain https address, not {address!r}; set public_url in newsletter.toml")
    return line(name, f"<{address}>")


def phrase(display: str, used: int) -> list[str]:
    """Return a display name as words that stand before an angle bracket; `used` columns of the first line are taken."""
    one_line(display, "a display name")
    if not display:
        return []
    if len(display) <= WIDTH - used and "=?" not in display:
        if _ATOMS.fullmatch(display):
            return [display]
        if _WORDS.fullmatch(display):
            quoted = display.replace("\\", r"\\").replace('"', r"\"")
            return [f'"{quoted}"']
    return list(_encoded(display, used))


def _fits_plain(value: str) -> bool:
    # "=?" would be read as an encoded word, and a fold cannot keep blanks at the ends or side by side.
    return not value or (
        "=?" not in value and _WORDS.fullmatch(value) is not None and max(map(len, value.split(" "))) < WIDTH - 20
    )


def _encoded(value: str, used: int) -> Iterator[str]:
    """Yield the value as encoded words, none of which splits a character (RFC 2047 5)."""
    room = min(_OCTETS, max(3, (WIDTH - used - 12) // 4 * 3))
    octets, start = value.encode(), 0
    while True:
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # within a character (RFC 3629 3)
            end -= 1
        yield f"=?utf-8?B?{b64encode(octets[start:end]).decode()}?="
        start, room = end, _OCTETS
        if start >= len(octets):
            return


def _folded(name: str, words: list[str], value: str) -> bytes:
    one_line(value, name)
    lines = [f"{name}:"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > WIDTH and lines[-1].strip() and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    made = [each.encode() for each in lines]
    if max(len(each) for each in made) > LIMIT:
        raise BadInput(f"{name} cannot be folded into lines of {LIMIT} bytes: {value[:80]!r}...; shorten it")
    return b"\r\n".join(made) + b"\r\n"
