"""Replies out of bytes, however the network cuts them."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

#: No honest reply is longer, EHLO's with all of its lines included; RFC 5321 4.5.3.1.5 has 512 for a line.
LONGEST = 16_384


class NoReply(Exception):
    """The bytes are no SMTP reply; the message quotes their beginning."""


class Reply(NamedTuple):
    """What the server said; the lines of `text` have their code taken off."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Return whether the command was carried out."""
        return self.code // 100 == 2

    def __str__(self) -> str:
        """Return it as it was given, code first."""
        return f"{self.code} {self.text}"


class Parser:
    """Takes bytes as they come and gives whole replies."""

    __slots__ = ("_lines", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []
        self._size = 0

    @property
    def within(self) -> bool:
        """Return whether a reply has begun and not ended."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that are whole now, the earlier ones even where NoReply follows."""
        data = self._rest + data if self._rest else data
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._size += end - start
            if self._size > LONGEST:
                raise NoReply(f"more than {LONGEST:,} bytes")
            reply, more = _read(data[start:end])
            start = end + 1
            if more:
                self._lines.append(reply.text)
                continue
            if self._lines:
                reply = Reply(reply.code, "\n".join([*self._lines, reply.text]))
                self._lines.clear()
            self._size = 0
            yield reply
        self._rest = data[start:]
        if len(self._rest) + self._size > LONGEST:
            raise NoReply(f"more than {LONGEST:,} bytes")


@lru_cache(maxsize=64)
def _read(line: bytes) -> tuple[Reply, bool]:
    """Return a line of a reply, and whether another line follows (RFC 5321 4.2.1).

    A server says the same of every sender and of every recipient that it takes.
    """
    digits, mark = line[:3], line[3:4]
    if len(digits) == 3 and digits.isdigit() and b"2" <= digits < b"6" and mark in (b" ", b"-", b"\r", b""):
        return Reply(int(digits), line[4:].decode("utf-8", "replace").strip()), mark == b"-"
    raise NoReply(repr(line[:60].decode("utf-8", "replace").strip()))
