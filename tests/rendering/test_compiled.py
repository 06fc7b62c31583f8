"""The bytes of a body: whatever the words and the reader's values, a mail program reads them back as they were."""

import email
import email.policy
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.rendering import compiled, slots
from newsletter.rendering.press import Rendered
from newsletter.rendering.slots import Slot
from tests.rendering import samples

_NASTY = st.sampled_from(
    [".", "..", "From ", "=", "=_", "--", " ", "\t", "\r", "\n", "\r\n", "é", "😀", "\x00", "a" * 76]
)
_WORDS = st.one_of(st.text(max_size=90), _NASTY)
_PIECES = st.lists(st.one_of(_WORDS, st.sampled_from([slot.marker for slot in Slot])), max_size=12).map("".join)
_VALUES = st.fixed_dictionaries(dict.fromkeys(Slot, _WORDS))
_EDGES = [
    "\n.\n",
    "From me\nFrom you",
    "[[email]]\n",
    "\n[[email]][[email]]\n ",
    "a " * 38 + "\n",
    "x" * 75 + ".",
    "é" * 40 + " \n",
]


def parts(made: compiled.Compiled, values: dict[Slot, str]) -> list[tuple[str, str]]:
    """Return the body's parts as a mail program reads them: content type and text, with plain line breaks."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {made.content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(b"".join((head, *made.parts(values))), policy=email.policy.SMTP)
    assert not message.defects
    found = []
    for part in message.iter_parts():
        assert not part.defects
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append((part.get_content_type(), payload.decode("utf-8").replace("\r\n", "\n")))
    return found


def unix(text: str) -> str:
    """Return the text as the wire carries it: one kind of line break, and no half of a character."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode()


@given(_PIECES, _PIECES, _VALUES)
@example("\n".join(_EDGES), "".join(_EDGES), dict.fromkeys(Slot, ""))
@example("[[email]]", "[[email]]", dict.fromkeys(Slot, "x" * 75))
@example("[[email]]", "[[email]]", dict.fromkeys(Slot, ".From \n"))
@settings(max_examples=250, deadline=None)
def test_a_mail_program_reads_what_was_written_with_the_readers_values_in_place(
    html: str, text: str, values: dict[Slot, str]
) -> None:
    made = compiled.compile(html, text, boundary="desk-1")
    assert parts(made, values) == [
        ("text/plain", unix(slots.fill_text(text, values))),
        ("text/html", unix(slots.fill_html(html, values))),
    ]


@given(_PIECES, _PIECES, _VALUES)
@example("\n".join(_EDGES), "".join(_EDGES), dict.fromkeys(Slot, "From "))
@settings(max_examples=250, deadline=None)
def test_every_line_is_fit_for_any_relay(html: str, text: str, values: dict[Slot, str]) -> None:
    body = b"".join(compiled.compile(html, text, boundary="desk-1").parts(values))
    assert body.isascii()
    assert b"\x00" not in body
    assert body.endswith(b"\r\n")
    lines = body.split(b"\r\n")
    for line in lines:
        assert len(line) <= 76
        assert b"\r" not in line
        assert b"\n" not in line
        assert not line.endswith((b" ", b"\t"))
        assert not line.startswith((b".", b"From "))
    assert [line for line in lines if line.startswith(b"--=_")] == [b"--=_desk-1", b"--=_desk-1", b"--=_desk-1--"]


def test_a_sample_issue_reads_back_whole(rendered: Rendered) -> None:
    made = compiled.compile(rendered.html, rendered.text, boundary="issue-12")
    assert parts(made, samples.VALUES) == [
        ("text/plain", slots.fill_text(rendered.text, samples.VALUES)),
        ("text/html", slots.fill_html(rendered.html, samples.VALUES)),
    ]


def test_the_same_reader_gets_the_same_bytes(rendered: Rendered) -> None:
    made = [compiled.compile(rendered.html, rendered.text, boundary="b").parts(samples.VALUES) for _ in range(3)]
    assert made[0] == made[1] == made[2]


def test_a_link_stays_whole_on_the_wire_when_it_fits_a_line(rendered: Rendered) -> None:
    body = b"".join(compiled.compile(rendered.html, rendered.text, boundary="b").parts(samples.VALUES))
    assert body.count(samples.VALUES[Slot.UNSUBSCRIBE_URL].encode()) == 2


def test_a_missing_value_is_an_error_and_no_empty_link(rendered: Rendered) -> None:
    made = compiled.compile(rendered.html, rendered.text, boundary="b")
    with pytest.raises(KeyError):
        made.parts({Slot.EMAIL: "a@b.example"})


@pytest.mark.parametrize("boundary", ["", "a b", "a\r\nBcc: x", "=", "a" * 61, 'a"'])
def test_a_boundary_that_would_break_the_header_is_refused(boundary: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(boundary))):
        compiled.compile("", "", boundary=boundary)
