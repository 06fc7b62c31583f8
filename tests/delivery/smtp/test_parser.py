"""Replies out of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.smtp.parser import LONGEST, NoReply, Parser, Reply


def fed(*parts: bytes) -> list[Reply]:
    parser = Parser()
    return [reply for part in parts for reply in parser.feed(part)]


def test_replies_are_read_with_their_lines() -> None:
    assert fed(b"250-one\r\n250-\r\n250 2.0.0 three\r\n354\r\n550 n\xc3\xb6\xff\r\n") == [
        Reply(250, "one\n\n2.0.0 three"),
        Reply(354, ""),
        Reply(550, "nö\N{REPLACEMENT CHARACTER}"),
    ]


def test_the_last_lines_code_counts_and_a_bare_line_feed_ends_a_line() -> None:
    assert fed(b"250-one\n550 two\n") == [Reply(550, "one\ntwo")]


@given(
    replies=st.lists(
        st.tuples(
            st.integers(200, 599),
            st.lists(st.text("ab 1.-", max_size=9).map(str.strip), min_size=1, max_size=3),
        ),
        max_size=6,
    ),
    data=st.data(),
)
def test_any_splitting_gives_the_same_replies(replies: list[tuple[int, list[str]]], data: st.DataObject) -> None:
    said = b"".join(
        b"".join(f"{code}{' ' if last else '-'}{line}\r\n".encode() for line, last in _marked(lines))
        for code, lines in replies
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8)))
    parts = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    assert fed(*parts) == [Reply(code, "\n".join(lines)) for code, lines in replies]
    assert fed(*(said[at : at + 1] for at in range(len(said)))) == fed(said)


def _marked(lines: list[str]) -> list[tuple[str, bool]]:
    return [(line, number == len(lines)) for number, line in enumerate(lines, 1)]


@pytest.mark.parametrize(
    "said", [b"hello\r\n", b"25 ok\r\n", b"1234 ok\r\n", b"150 ok\r\n", b"600 ok\r\n", b"\r\n", b"250-ok\r\nfine\r\n"]
)
def test_anything_else_is_no_reply(said: bytes) -> None:
    with pytest.raises(NoReply):
        fed(said)


def test_what_came_whole_before_it_is_given_first() -> None:
    found = []
    with pytest.raises(NoReply, match="'what'"):
        for reply in Parser().feed(b"250 ok\r\nwhat\r\n250 ok\r\n"):
            found.append(reply)
    assert found == [Reply(250, "ok")]


@pytest.mark.parametrize("said", [b"x" * (LONGEST + 1), b"250-" + b"x" * LONGEST + b"\r\n", b"250-ok\r\n" * LONGEST])
def test_a_reply_without_end_is_none(said: bytes) -> None:
    with pytest.raises(NoReply, match="more than 16,384 bytes"):
        fed(*(said[at : at + 1000] for at in range(0, len(said), 1000)))


def test_a_reply_that_has_begun_is_known() -> None:
    parser = Parser()
    assert not parser.within
    assert list(parser.feed(b"250")) == []
    assert parser.within
    assert list(parser.feed(b" ok\r\n")) == [Reply(250, "ok")]
    assert not parser.within
