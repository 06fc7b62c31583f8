"""Header lines: what a stranger's parser reads is what we wrote."""

from collections.abc import Callable
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import headers
from newsletter.errors import BadInput

CONTROL = [chr(code) for code in (*range(32), *range(127, 160), 0x2028, 0x2029)]
shown = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300)


def parsed(data: bytes, name: str) -> str:
    message = message_from_bytes(data + b"X-Last: end\r\n\r\n", policy=policy.default)
    assert message.keys() == [name, "X-Last"]
    return str(message[name])


def wire(data: bytes) -> None:
    assert data.endswith(b"\r\n")
    assert data.isascii()
    for line in data[:-2].split(b"\r\n"):
        assert len(line) <= 78
        assert line.strip()
    assert b"\r" not in data.replace(b"\r\n", b"")


@given(shown)
def test_any_subject_comes_back_as_it_was(subject: str) -> None:
    data = headers.text("Subject", subject)
    wire(data)
    assert parsed(data, "Subject") == subject


@given(shown)
def test_any_display_name_comes_back_and_brings_no_second_address(name: str) -> None:
    data = headers.mailbox("From", name, "desk@example.com")
    wire(data)
    message = message_from_bytes(data + b"\r\n", policy=policy.default)
    (found,) = message["From"].addresses
    assert found.addr_spec == "desk@example.com"
    assert "".join(found.display_name.split()) == "".join(name.split())  # the library is free with blanks


@given(shown)
def test_any_list_title_leaves_the_identifier_alone(title: str) -> None:
    data = headers.list_id(title, "weekly.example.com")
    wire(data)
    assert parsed(data, "List-Id").endswith("<weekly.example.com>")


@pytest.mark.parametrize("mark", CONTROL)
def test_control_characters_are_refused_in_every_kind_of_header(mark: str) -> None:
    evil = f"a{mark}Bcc: everyone@example.com"
    writes: list[Callable[[], bytes]] = [
        lambda: headers.text("Subject", evil),
        lambda: headers.mailbox("From", evil, "desk@example.com"),
        lambda: headers.mailbox("From", "Desk", evil),
        lambda: headers.list_id(evil, "weekly.example.com"),
        lambda: headers.list_id("Weekly", evil),
        lambda: headers.line("To", evil),
        lambda: headers.uri("List-Unsubscribe", f"https://example.com/{evil}"),
    ]
    for write in writes:
        with pytest.raises(BadInput, match=r"control character|no|plain"):
            write()


@given(st.integers(20, 900))
def test_a_link_of_any_length_stands_literally_on_one_line(length: int) -> None:
    address = "https://news.example.com/u/".ljust(length, "x")
    assert headers.uri("List-Unsubscribe", address) == f"List-Unsubscribe: <{address}>\r\n".encode()


def test_a_link_that_no_line_can_hold_is_refused() -> None:
    with pytest.raises(BadInput, match="mail allows 998"):
        headers.uri("List-Unsubscribe", "https://example.com/" + "x" * 1000)


@pytest.mark.parametrize("address", ["https://bücher.example/u/x", "javascript:alert(1)", "https://a.example/> <b", ""])
def test_what_is_no_plain_link_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="plain https address"):
        headers.uri("List-Unsubscribe", address)


def test_plain_words_stay_readable_and_fold_at_blanks() -> None:
    subject = "A rather long subject that says what is new this week in the harbour, in the yards and at sea"
    assert headers.text("Subject", subject).decode() == (
        "Subject: A rather long subject that says what is new this week in the\r\n harbour, in the yards and at sea\r\n"
    )
    assert headers.mailbox("From", "Desk, Harbour", "d@example.com") == b'From: "Desk, Harbour" <d@example.com>\r\n'


def test_words_that_look_encoded_are_not_taken_for_encoded_ones() -> None:
    assert parsed(headers.text("Subject", "=?utf-8?q?hello?="), "Subject") == "=?utf-8?q?hello?="
