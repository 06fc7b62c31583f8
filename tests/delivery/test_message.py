"""The message for one reader, parsed back from its bytes."""

import re
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import headers, message, returns
from newsletter.delivery.message import Envelope, Masthead
from newsletter.delivery.reader import Reader
from newsletter.delivery.returns import Return
from newsletter.errors import BadInput, SettingsError
from newsletter.rendering import compiled
from newsletter.settings import Publication, Sender, Settings
from subscribers import tokens
from subscribers.tokens import Keyring, Purpose
from tests.conftest import NOW
from tests.delivery.desk import HTML, KEYRING, READER, TEXT
from tests.delivery.lint import lint, raw

SETTINGS = Settings(
    publication=Publication(name="Harbour Brief", public_url="https://news.harbour.example/", postal_address="1 Quay"),
    sender=Sender.model_validate(
        {
            "from": "Harbour Brief <desk@news.harbour.example>",
            "reply_to": "Editors <editors@news.harbour.example>",
            "bounce_domain": "bounces.harbour.example",
        }
    ),
)
BODY = compiled.compile(HTML, TEXT, boundary="issue-9")


def masthead(settings: Settings = SETTINGS, subject: str = "Neu: Würste", keyring: Keyring = KEYRING) -> Masthead:
    return message.masthead(settings, 9, subject=subject, date=NOW, keyring=keyring)


def assembled(reader: Reader = READER, head: Masthead | None = None) -> Envelope:
    return message.assemble(head or masthead(), BODY, reader)


def sender(**words: str) -> Settings:
    return SETTINGS.model_copy(update={"sender": Sender.model_validate(words)})


def test_each_header_says_what_it_must() -> None:
    envelope = assembled()
    found = lint(envelope.message)
    token = tokens.sign(KEYRING, Purpose.UNSUBSCRIBE, 42, 3)
    assert returns.read(KEYRING, envelope.sender) == Return(9, 42)
    assert envelope.sender == f"b+{envelope.envid}@bounces.harbour.example"
    assert envelope.recipient == found["To"] == "reader@example.com"
    assert envelope.delivery_id == 7
    assert not envelope.smtputf8
    assert envelope.size == len(envelope.message)
    assert found["From"] == "Harbour Brief <desk@news.harbour.example>"
    assert found["Reply-To"] == "Editors <editors@news.harbour.example>"
    assert found["Subject"] == "Neu: Würste"
    assert parsedate_to_datetime(found["Date"]) == NOW
    assert found["List-Id"] == "The weekly — für alle <weekly.news.harbour.example>"
    link = f"<https://news.harbour.example/u/{token}>"
    assert raw(envelope.message, "List-Unsubscribe") == link.encode()
    assert raw(envelope.message, "List-Unsubscribe-Post") == b"List-Unsubscribe=One-Click"
    assert found["List-Post"] == "NO"
    assert found["Precedence"] == "bulk"
    assert found["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert found["MIME-Version"] == "1.0"
    assert found.get_content_type() == "multipart/alternative"
    assert re.fullmatch(r"<9\.42\.[0-9a-f]{16}@news\.harbour\.example>", found["Message-ID"])


def test_without_a_domain_for_bounces_copies_return_to_the_desk() -> None:
    envelope = assembled(head=masthead(sender(**{"from": "Desk <desk@news.harbour.example>"})))
    assert envelope.sender == "desk@news.harbour.example"
    assert returns.read(KEYRING, envelope.envid) == Return(9, 42)


def test_a_foreign_domain_for_bounces_travels_in_ascii() -> None:
    own = sender(**{"from": "desk@news.harbour.example", "bounce_domain": "rücklauf.example"})
    assert assembled(head=masthead(own)).sender.endswith("@xn--rcklauf-n2a.example")


def test_the_reader_finds_their_own_address_and_links_in_both_parts() -> None:
    found = lint(assembled().message)
    unsubscribe = raw(assembled().message, "List-Unsubscribe").decode().strip("<>")
    choose = f"https://news.harbour.example/p/{tokens.sign(KEYRING, Purpose.PREFERENCES, 42)}"
    for part in found.iter_parts():
        text = part.get_content()
        for words in ("reader@example.com", "The weekly — für alle", unsubscribe, choose):
            assert words in text


def test_the_feedback_id_is_the_same_for_all_readers_of_a_list() -> None:
    one, other = assembled(), assembled(replace(READER, subscriber_id=43, email="other@example.com"))
    assert (
        raw(one.message, "Feedback-ID") == raw(other.message, "Feedback-ID") == b"9:weekly:newsletter:newsharbourexam"
    )
    assert (
        5
        <= len(raw(assembled(head=masthead(sender(**{"from": "d@a.io"}))).message, "Feedback-ID").split(b":")[3])
        <= 15
    )


def test_every_attempt_has_the_same_bytes_and_every_reader_their_own_id() -> None:
    again = replace(READER, attempts=4, resent=True, delivery_id=8)
    assert assembled(again).message == assembled().message
    ids = {raw(assembled(replace(READER, subscriber_id=number)).message, "Message-ID") for number in range(1, 50)}
    assert len(ids) == 49


def test_a_new_key_does_not_change_the_message_id() -> None:
    rotated = Keyring.parse("1:" + "5a" * 32 + "\n2:" + "7b" * 32)
    new, old = assembled(head=masthead(keyring=rotated)), assembled()
    assert raw(new.message, "Message-ID") == raw(old.message, "Message-ID")
    assert raw(new.message, "List-Unsubscribe") != raw(old.message, "List-Unsubscribe")
    other = masthead(keyring=Keyring.parse("1:" + "7b" * 32))
    assert raw(assembled(head=other).message, "Message-ID") != raw(old.message, "Message-ID")


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=400),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=80),
)
def test_no_title_subject_or_sender_name_bends_a_message(title: str, subject: str, name: str) -> None:
    settings = sender(**{"from": f"{headers.phrase(name, 6)[0] if name else ''} <desk@news.harbour.example>"})
    found = lint(assembled(replace(READER, list_title=title), masthead(settings, subject)).message)
    assert found["Subject"] == subject
    assert found["From"].addresses[0].addr_spec == "desk@news.harbour.example"
    assert found["List-Id"].endswith("<weekly.news.harbour.example>")


def test_a_list_goes_by_its_own_identifier() -> None:
    own = lint(assembled(replace(READER, list_identifier="weekly.lists.example.org")).message)
    assert own["List-Id"] == "The weekly — für alle <weekly.lists.example.org>"
    with pytest.raises(BadInput):
        assembled(replace(READER, list_identifier="a.b\r\nBcc: x@example.com"))


@pytest.mark.parametrize("evil", ["a\r\nBcc: x@example.com", "a\nb", "a\0b", "a\rb", "a\u2028b"])
def test_a_line_break_anywhere_is_refused(evil: str) -> None:
    with pytest.raises(BadInput):
        masthead(subject=evil)
    with pytest.raises(BadInput):
        assembled(replace(READER, list_title=evil))
    with pytest.raises(BadInput):
        assembled(replace(READER, list_name=evil))
    with pytest.raises(BadInput):
        assembled(replace(READER, email=f"{evil}@example.com"))


def test_a_foreign_domain_travels_in_ascii_and_needs_no_smtputf8() -> None:
    envelope = assembled(replace(READER, email="leser@bücher.example"))
    assert envelope.recipient == lint(envelope.message)["To"] == "leser@xn--bcher-kva.example"
    assert not envelope.smtputf8


def test_a_foreign_local_part_needs_smtputf8_and_stays_as_it_is() -> None:
    envelope = assembled(replace(READER, email="zoë@bücher.example"))
    assert envelope.recipient == "zoë@xn--bcher-kva.example"
    assert envelope.smtputf8
    assert raw(envelope.message, "To") == "zoë@xn--bcher-kva.example".encode()


@pytest.mark.parametrize("email", ["", "nobody", "a b@example.com", "<a@example.com>", "a@b@c", "a@-.example"])
def test_what_is_no_address_gets_no_envelope(email: str) -> None:
    with pytest.raises(BadInput, match="take it off the list"):
        assembled(replace(READER, email=email))


def test_the_desk_must_have_said_where_it_is_and_who_writes() -> None:
    bare = Settings(publication=Publication(name="Harbour Brief"))
    with pytest.raises(SettingsError, match=r"a send needs public_url in \[publication\]"):
        masthead(bare)
    with pytest.raises(SettingsError, match=r"a send needs from in \[sender\]"):
        masthead(SETTINGS.model_copy(update={"sender": Sender()}))
    with pytest.raises(BadInput, match="must be ASCII"):
        masthead(sender(**{"from": "zoë@example.com"}))
    with pytest.raises(BadInput, match="plain https address"):
        masthead(SETTINGS.model_copy(update={"publication": Publication(name="x", public_url="http://a.example")}))


def test_the_date_is_that_of_the_issue_and_not_of_the_attempt(now: datetime) -> None:
    assert raw(assembled().message, "Date") == b"Mon, 02 Nov 2026 09:00:00 +0000"
