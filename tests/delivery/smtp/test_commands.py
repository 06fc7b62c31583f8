"""The bytes of a transaction: parameters by what is offered, and the text as it stands on the wire."""

from dataclasses import replace

import pytest

from newsletter.delivery.message import Envelope
from newsletter.delivery.replies import Fault, Kind, Outcome
from newsletter.delivery.smtp import offers
from newsletter.delivery.smtp.commands import chunk, opening, original, stuffed
from newsletter.delivery.smtp.offers import Offers
from tests.delivery.smtp.tray import to

ALL = offers.read("test\nPIPELINING\nSIZE 1000\nDSN\n8BITMIME\nSMTPUTF8\nCHUNKING")


def said(envelope: Envelope, offered: Offers) -> tuple[str, str]:
    made = opening(envelope, offered, "relay main")
    assert not isinstance(made, Outcome)
    mail, rcpt = made
    assert mail.endswith(b"\r\n")
    assert rcpt.endswith(b"\r\n")
    return mail.decode()[:-2], rcpt.decode()[:-2]


def data(message: bytes) -> bytes:
    return b"".join(stuffed(to(1, data=message)))


def test_dots_are_doubled_and_the_end_is_one_dot() -> None:
    assert data(b".a\r\n.\r\nb.\r\n") == b"..a\r\n..\r\nb.\r\n.\r\n"
    assert data(b"no end") == b"no end\r\n.\r\n"
    assert data(b"") == b"\r\n.\r\n"


def test_a_dot_that_begins_a_part_is_doubled_where_it_begins_a_line() -> None:
    parted = replace(to(1), parts=(b"a\r\n", b".b", b".c\r\n"))
    assert b"".join(stuffed(parted)) == b"a\r\n..b.c\r\n.\r\n"


def test_a_text_without_such_dots_is_not_copied() -> None:
    text = b"a. b\r\n" * 9
    assert stuffed(to(1, data=text))[0] == text
    assert chunk(to(1, data=text))[1] is text


def test_a_text_that_is_known_to_have_none_is_not_looked_through() -> None:
    parted = replace(to(1), parts=(b"a", b"b\r\n"), clean=True)
    assert stuffed(parted) == (b"a", b"b\r\n", b".\r\n")
    assert chunk(parted) == (b"BDAT 4 LAST\r\n", b"a", b"b\r\n", b"")
    assert b"".join(stuffed(replace(parted, parts=(b"a",)))) == b"a\r\n.\r\n"


def test_a_chunk_says_how_many_bytes_follow_and_stuffs_nothing() -> None:
    assert b"".join(chunk(to(1, data=b".a\r\n"))) == b"BDAT 4 LAST\r\n.a\r\n"
    assert b"".join(chunk(to(1, data=b".a"))) == b"BDAT 4 LAST\r\n.a\r\n"


def test_a_server_that_offers_nothing_gets_nothing_but_addresses() -> None:
    assert said(to(1, envid="x"), Offers()) == (
        "MAIL FROM:<bounces@desk.example>",
        "RCPT TO:<reader1@example.com>",
    )


def test_what_is_offered_is_used() -> None:
    mail, rcpt = said(to(1, data=b"four", envid="i1+2Bx"), ALL)
    assert mail == "MAIL FROM:<bounces@desk.example> SIZE=4 RET=HDRS ENVID=i1+2Bx"
    assert rcpt == "RCPT TO:<reader1@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;reader1@example.com"
    assert "RET" not in said(to(1), ALL)[0]
    assert said(to(1, data="é".encode()), ALL)[0].endswith(" SIZE=2 BODY=8BITMIME")


def test_an_address_beyond_ascii_says_so() -> None:
    mail, rcpt = said(to(1, local="zoë", data=b"", utf8=True), ALL)
    assert mail.endswith(" SIZE=0 SMTPUTF8 BODY=8BITMIME")
    assert rcpt == "RCPT TO:<zoë1@example.com> NOTIFY=FAILURE,DELAY ORCPT=utf-8;zo\\x{EB}1@example.com"


def test_what_an_orcpt_may_not_have_is_encoded() -> None:
    assert original("a+b=c@example.com") == "rfc822;a+2Bb+3Dc@example.com"
    assert original('"a b"@example.com') == 'rfc822;"a+20b"@example.com'
    assert original("ö+\\😀@example.com") == "utf-8;\\x{F6}\\x{2B}\\x{5C}\\x{1F600}@example.com"


@pytest.mark.parametrize(
    ("envelope", "offered", "fault", "words"),
    [
        (to(1, local="zoë"), Offers(eight_bit=True), Fault.UNSUPPORTED_ADDRESS, "does not offer SMTPUTF8"),
        (
            to(1, local="zoë", data="é".encode()),
            Offers(smtputf8=True),
            Fault.UNSUPPORTED_ADDRESS,
            "does not offer 8BITMIME",
        ),
        (to(1, data="é".encode()), Offers(), Fault.CONTENT, "does not offer 8BITMIME"),
        (to(1, data=b"x" * 1001), ALL, Fault.CONTENT, "takes messages of up to 1,000 bytes"),
        (to(1, data=b"x" * 1001, local="zoë", utf8=True), ALL, Fault.CONTENT, "takes messages of up to 1,000 bytes"),
        (to(1, local="x>\r\nDATA\r\n"), ALL, Fault.REFUSED, "a line break"),
    ],
)
def test_what_cannot_go_by_the_relay_fails_without_a_word_to_it(
    envelope: Envelope, offered: Offers, fault: Fault, words: str
) -> None:
    made = opening(envelope, offered, "relay main")
    assert isinstance(made, Outcome)
    assert (made.kind, made.fault, made.code) == (Kind.FAILED, fault, 0)
    assert words in made.text


@pytest.mark.parametrize(("text", "size"), [("SIZE", 0), ("SIZE 0", 0), ("size 10240000", 10240000), ("SIZE ²", 0)])
def test_the_size_is_that_of_the_reply_to_ehlo(text: str, size: int) -> None:
    found = offers.read(f"test\n{text}")
    assert (found.sizes, found.size) == (True, size)


def test_mechanisms_are_those_of_both_spellings() -> None:
    assert offers.read("test\nAUTH plain\nAUTH=LOGIN").auth == {"PLAIN", "LOGIN"}
    assert offers.read("PIPELINING").extensions == {}  # the first line greets
