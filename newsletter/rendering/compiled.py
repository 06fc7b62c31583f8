"""A rendering as bytes for the wire: constant runs, encoded once, with a hole for each reader's value.

Each run and each value begins a line of its own and ends with a soft line break (RFC 2045 6.7 rule 5), which a
mail program takes out again; so pieces encoded apart can be joined in any way and are still valid quoted-printable.
"""

import hashlib
import re
from binascii import b2a_qp
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from html import escape
from itertools import chain, groupby, islice
from urllib.parse import quote

from newsletter.rendering import slots
from newsletter.rendering.personal import ALIKE, NOTHING, Decision, Personal
from newsletter.rendering.slots import Slot, value

_SOFT = b"=\r\n"
_WIDTH = 75  # and the soft break's "=" makes 76, the most that RFC 2045 6.7 allows
# Printable ASCII but "=" stands for itself, and so do space and tab inside a line (RFC 2045 6.7 rules 2 and 3).
_ITSELF = {9, *range(32, 127)} - {61}
_OCTETS = [chr(octet) if octet in _ITSELF else f"={octet:02X}" for octet in range(256)]
# What stands for itself in one line of text and of HTML: no "=" and no markup, no space at the ends, nothing that
# `_guard` is for at the start.
_PLAIN = re.compile(rf"(?!From )[!#-%(-\-/-;?-~](?:[ !#-%(-;?-~]{{0,{_WIDTH - 2}}}[!#-%(-;?-~])?")
# Three times so many fit a line; what is broken, or begins with what `_guard` is for, takes the longer way.
_SHORT = _WIDTH // 3
_BREAK = re.compile(rb"[\r\n\t]|\A\.|\AFrom ")
_BOUNDARY = re.compile(r"[A-Za-z0-9'()+_,./:?-]{1,60}")  # RFC 2046 5.1.1, less "=" and the space


#: How many variants of an issue are remembered: each is a list of what it is made of, and shares the bytes.
_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a value goes: its name, whether that is in the HTML, and its slot, or else the number of its expression.

    `address` says that it stands inside one.
    """

    name: str
    marked: bool
    slot: Slot | None
    number: int
    address: bool

    @classmethod
    def of(cls, name: str, *, marked: bool) -> "Hole":
        """Return the hole of a mark."""
        kind, _, number = name.partition(":")
        return cls(name, marked, None if number else Slot(kind), int(number or 0), kind == "url")

    def said(self, values: Sequence[str]) -> str:
        """Return what its expression says there, by what each of them comes to."""
        said = values[self.number]
        return quote(said, safe="") if self.address else said


#: A run or a hole, with the conditions that must hold for it.
Piece = tuple[bytes | Hole, tuple[int, ...]]


@dataclass(frozen=True)
class Variant:
    """The parts of all copies in which the same conditions hold; `values` are the holes in it, and the places of each.

    The places are those in the text and those in the HTML.
    """

    parts: tuple[bytes, ...]
    values: tuple[tuple[Hole, tuple[list[int], list[int]]], ...]

    @classmethod
    def of(cls, pieces: Sequence[bytes | Hole]) -> "Variant":
        """Return the variant of these pieces."""
        values: dict[str, tuple[Hole, tuple[list[int], list[int]]]] = {}
        for place, piece in enumerate(pieces):
            if isinstance(piece, Hole):
                values.setdefault(piece.name, (piece, ([], [])))[1][piece.marked].append(place)
        return cls(tuple(b"" if isinstance(piece, Hole) else piece for piece in pieces), tuple(values.values()))

    @cached_property
    def begun(self) -> "tuple[int, hashlib._Hash]":
        """Return how many parts come before the first value, and the SHA-256 that has taken them."""
        places = chain.from_iterable((*plain, *marked) for _, (plain, marked) in self.values)
        count = min(places, default=len(self.parts))
        return count, hashlib.sha256(b"".join(self.parts[:count]))


@dataclass(frozen=True)
class Compiled:
    """An issue's body, ready to be joined for any reader."""

    content_type: str
    pieces: tuple[Piece, ...]
    personal: Personal = NOTHING
    _variants: dict[tuple[bool, ...], Variant] = field(default_factory=dict, compare=False, repr=False)

    def parts(self, values: Mapping[Slot, str], decision: Decision = ALIKE) -> list[bytes]:
        """Return the multipart body of one copy in pieces that follow each other, in lines of at most 76 characters."""
        variant = self._variant(decision)
        parts = list(variant.parts)
        for hole, (plain, marked) in variant.values:
            text, html = _written(values[hole.slot] if hole.slot else hole.said(decision.values))
            for place in plain:
                parts[place] = text
            for place in marked:
                parts[place] = html
        return parts

    def digest(self, parts: Sequence[bytes], decision: Decision = ALIKE) -> bytes:
        """Return the SHA-256 of a copy's body; what all copies of its variant begin with is hashed once."""
        count, begun = self._variant(decision).begun
        whole = begun.copy()
        for part in islice(parts, count, None):
            whole.update(part)
        return whole.digest()

    def _variant(self, decision: Decision) -> Variant:
        return self._variants.get(decision.holds) or self._made(decision.holds)

    def _made(self, holds: tuple[bool, ...]) -> Variant:
        if len(self._variants) >= _REMEMBERED:
            self._variants.clear()
        there = [piece for piece, under in self.pieces if not under or all(holds[each] for each in under)]
        made = self._variants[holds] = Variant.of(there)
        return made


def compile(html: str, text: str, *, boundary: str, personal: Personal = NOTHING) -> Compiled:
    """Return the body of a message with the two alternatives, plain text first (RFC 2046 5.1.4)."""
    if not _BOUNDARY.fullmatch(boundary):
        raise ValueError(f"boundary must be 1 to 60 characters of RFC 2046 5.1.1 without '=' or a space: {boundary!r}")
    border = f"=_{boundary}"  # "=_" cannot stand in quoted-printable (RFC 2045 6.7), so no part can end early
    pieces: list[Piece] = []
    for kind, source in (("plain", text), ("html", html)):
        pieces.append((_head(border, kind), ()))
        for piece in slots.pieces(source):
            made = Hole.of(piece.words, marked=kind == "html") if piece.hole else _piece(piece.words)
            pieces.append((made, piece.under))
        pieces.append((b"\r\n", ()))
    pieces.append((f"--{border}--\r\n".encode(), ()))
    return Compiled(f'multipart/alternative; boundary="{border}"', tuple(_merged(pieces)), personal)


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces, with constant runs as one that follow each other under the same conditions."""
    for (constant, under), run in groupby(pieces, lambda each: (isinstance(each[0], bytes), each[1])):
        if constant:
            yield b"".join(piece for piece, _ in run if isinstance(piece, bytes)), under
        else:
            yield from run


def _written(shown: str) -> tuple[bytes, bytes]:
    """Return a value as it stands in the text, and in the HTML."""
    if _PLAIN.fullmatch(shown):
        made = shown.encode() + _SOFT
        return made, made
    return _encoded(shown)


@lru_cache(maxsize=1024)
def _encoded(shown: str) -> tuple[bytes, bytes]:
    made = value(shown)
    return _piece(made), _piece(escape(made))


def _head(border: str, kind: str) -> bytes:
    return (
        f"--{border}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


def _piece(text: str) -> bytes:
    """Return the text as quoted-printable that begins a line and ends with a break."""
    if not text:
        return b""
    octets = text.encode("utf-8", "replace")
    if len(octets) <= _SHORT and octets[-1] not in b" \t\r\n" and not _BREAK.search(octets):
        return b2a_qp(octets) + _SOFT  # never near the width, so without breaks of its own
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    *whole, last = lines
    encoded = ["\r\n".join(_lines(line)) + "\r\n" for line in whole]
    if last:
        encoded.append("\r\n".join(_lines(last)) + "=\r\n")
    return "".join(encoded).encode("ascii")


def _lines(line: str) -> Iterator[str]:
    """Yield the encoded line in pieces of at most 76 characters, all but the last with a soft break."""
    coded = "".join([_OCTETS[octet] for octet in line.encode("utf-8", "replace")])
    if coded.endswith((" ", "\t")):  # a relay may drop it (RFC 2045 6.7 rule 3)
        coded = coded[:-1] + f"={ord(coded[-1]):02X}"
    start = 0
    while True:
        piece, start = _cut(coded, start)
        if start >= len(coded):
            yield piece
            return
        yield piece + "="


def _cut(coded: str, start: int) -> tuple[str, int]:
    """Return the next piece, its first character guarded, and where the following one begins."""
    guard = _guard(coded, start)
    end = min(start + _WIDTH - 2 * bool(guard), len(coded))
    if end < len(coded):
        inside = coded.rfind("=", end - 2, end)
        if inside > start:  # never through the middle of an escape
            end = inside
    return (guard + coded[start + 1 : end] if guard else coded[start:end]), end


def _guard(coded: str, start: int) -> str:
    """Return the escape for a first character that programs meddle with: a dot (RFC 5321 4.5.2), mbox's `From `."""
    if coded.startswith(".", start):
        return "=2E"
    return "=46" if coded.startswith("From ", start) else ""
