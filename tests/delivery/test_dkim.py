"""Signatures on whole messages, in the eyes of verifiers that are not ours."""

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import keys, message
from newsletter.delivery.dkim import COVERED, Signer
from newsletter.delivery.keys import Record
from newsletter.delivery.reader import Reader
from newsletter.errors import SettingsError
from newsletter.issues.traits import Traits
from newsletter.rendering import compiled
from newsletter.rendering.personal import Condition, Personal
from newsletter.settings import Settings
from newsletter.transport import Dkim
from tests.conftest import NOW
from tests.delivery.desk import HTML, KEYRING, READER, TEXT
from tests.delivery.lint import lint, raw
from tests.delivery.test_message import SETTINGS
from tests.support import opendkim

#: What a reader sees or a mailbox provider acts on, and of which nobody may add another.
ALONE = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version", "content-type",
    "content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post",
)  # fmt: skip
DOMAIN = "news.harbour.example"
PLAIN = compiled.compile(HTML, TEXT, boundary="issue-9")
PERSONAL = compiled.compile(
    "<p>[[own:0]]</p><!--[[if:0]]--><p>Buyers of [[list_title]]</p><!--[[fi:0]]-->" + HTML,
    "Dear [[own:0]],\n<!--[[if:0]]-->For buyers.\n<!--[[fi:0]]-->" + TEXT,
    boundary="issue-9",
    personal=Personal(expressions=("subscriber.name",), conditions=(Condition(audience=("buyer",)),)),
)
SUBJECTS = ("Cranes", "Neu: Würste — für alle 🦆", "A rather long subject " * 8, "=?utf-8?q?x?=", "[[own:0]]: news")


class Desk:
    """A desk that signs, with the records that would stand in DNS."""

    def __init__(self, folder: Path) -> None:
        self.rsa = keys.create(folder / "s1.pem", domain=DOMAIN, selector="s1")
        self.ed25519 = keys.create(folder / "e1.pem", domain=DOMAIN, selector="e1", ed25519=True)
        self.records = (self.rsa.record, self.ed25519.record)
        self.folder = folder

    def settings(self, *, both: bool = True) -> Settings:
        """Return the settings of a desk that signs once, or by both keys."""
        second = {"ed25519_selector": "e1", "ed25519_key": str(self.folder / "e1.pem")} if both else {}
        signs = Dkim(domain=DOMAIN, selector="s1", key=str(self.folder / "s1.pem"), **second)
        return SETTINGS.model_copy(update={"dkim": signs})

    def message(
        self, reader: Reader = READER, body: compiled.Compiled = PLAIN, subject: str = "Cranes", *, both: bool = True
    ) -> bytes:
        """Return a reader's message."""
        head = message.masthead(self.settings(both=both), 9, subject=subject, date=NOW, keyring=KEYRING)
        return message.assemble(head, body, reader).message

    def verified(self, data: bytes) -> list[bool]:
        """Return what dkimpy says of each signature of a message."""
        return verified(data, self.records)


def verified(data: bytes, records: tuple[Record, ...]) -> list[bool]:
    published = {f"{record.name}.".encode(): record.value.encode() for record in records}
    count = data.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature: ")
    return [_verifies(data, place, published) for place in range(count)]


def _verifies(data: bytes, place: int, published: dict[bytes, bytes]) -> bool:
    try:
        return bool(dkim.DKIM(data).verify(place, dnsfunc=lambda name, timeout=5: published.get(name)))
    except dkim.DKIMException:
        return False


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signed(desk: Desk) -> bytes:
    return desk.message()


def test_a_message_begins_with_its_signatures_and_is_else_the_same(desk: Desk) -> None:
    head = message.masthead(SETTINGS, 9, subject="Cranes", date=NOW, keyring=KEYRING)
    bare = message.assemble(head, PLAIN, READER).message
    for both in (True, False):
        made = desk.message(both=both)
        assert made.endswith(bare)
        lines = made.removesuffix(bare).split(b"\r\n")
        assert [line for line in lines if line[:1] not in (b" ", b"")] == [
            b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple;",
            b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple;",
        ][: 1 + both]
        assert max(map(len, lines)) <= 78
        assert f"t={int(NOW.timestamp())};".encode() in made
        assert b" l=" not in made.partition(b"\r\nFrom")[0]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("audience", ["buyer", ""])
@pytest.mark.parametrize("email", ["reader@example.com", "zoë@bücher.example"])
def test_every_kind_of_message_verifies(desk: Desk, subject: str, audience: str, email: str) -> None:
    reader = replace(READER, email=email, traits=Traits(name="Ada — Lovelace", audience=audience))
    assert desk.verified(desk.message(reader, PERSONAL, subject)) == [True, True]
    assert desk.verified(desk.message(reader, PERSONAL, subject, both=False)) == [True]
    if "[[" not in subject:
        assert desk.verified(desk.message(reader, PLAIN, subject)) == [True, True]


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=90),
    st.integers(0, 2**31),
)
def test_whatever_the_words_the_signatures_hold(desk: Desk, words: str, title: str, number: int) -> None:
    reader = replace(READER, list_title=title, subscriber_id=number, traits=Traits(name=words, audience="buyer"))
    head = message.masthead(SETTINGS, 9, subject="[[own:0]] " + words, date=NOW, keyring=KEYRING)
    head = replace(head, signer=Signer((desk.rsa, desk.ed25519), at=NOW))
    assert desk.verified(message.assemble(head, PERSONAL, reader).message) == [True, True]


def headers(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each header with where its value begins and ends."""
    for found in re.finditer(rb"(?m)^([A-Za-z-]+): ((?:.*\r\n[ \t])*.*\r\n)", data.partition(b"\r\n\r\n")[0] + b"\r\n"):
        yield found[1], found.start(2), found.end(2) - 2


def test_every_header_is_covered_but_one_that_servers_take_off(desk: Desk, signed: bytes) -> None:
    names = []
    for name, start, end in headers(signed):
        if name == b"DKIM-Signature":
            continue
        for place in (start, (start + end) // 2, end - 1):
            changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
            if changed[place : place + 1].isspace() or signed[place : place + 1].isspace():
                continue
            assert desk.verified(changed) == [name == b"X-Auto-Response-Suppress"] * 2, (name, place)
        names.append(name.decode().lower())
    assert set(names) == COVERED - {"auto-submitted"} | {"x-auto-response-suppress"}


def test_every_byte_of_the_body_is_covered(desk: Desk, signed: bytes) -> None:
    start = signed.index(b"\r\n\r\n") + 4
    for place in (*range(start, len(signed) - 2, 41), len(signed) - 3):
        changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
        assert desk.verified(changed) == [False, False]
    assert desk.verified(signed + b"more\r\n") == [False, False]
    assert desk.verified(signed + b"\r\n\r\n") == [True, True]  # RFC 6376 3.4.3


@pytest.mark.parametrize("name", ALONE)
def test_nobody_can_add_another_of_what_readers_see(desk: Desk, signed: bytes, name: str) -> None:
    extra = f"{name.title()}: evil@example.org\r\n".encode()
    end = signed.index(b"\r\n\r\n") + 2
    assert desk.verified(extra + signed) == [False, False]
    assert desk.verified(signed[:end] + extra + signed[end:]) == [False, False]


def test_what_relays_do_to_headers_breaks_nothing(desk: Desk, signed: bytes) -> None:
    trace = b"Received: from desk by relay; Mon, 02 Nov 2026 09:00:01 +0000\r\nX-Relay: yes\r\n"
    changed = signed.replace(b"List-Id: The", b"list-id:\tThe").replace(b"Precedence: bulk", b"PRECEDENCE:  bulk ")
    changed = changed.replace(b"Content-Type: multipart/alternative; b", b"Content-Type: multipart/alternative;\r\n\tb")
    assert changed != signed
    assert desk.verified(trace + changed) == [True, True]


def test_the_same_copy_has_the_same_bytes_each_time_and_another_reader_another_proof(desk: Desk) -> None:
    again = replace(READER, attempts=4, resent=True, delivery_id=8)
    assert desk.message(again) == desk.message()
    other = desk.message(replace(READER, subscriber_id=43))
    assert raw(other, "DKIM-Signature").split(b" b=")[1] != raw(desk.message(), "DKIM-Signature").split(b" b=")[1]


def test_many_threads_sign_as_one_does(desk: Desk) -> None:
    head = message.masthead(desk.settings(), 9, subject="[[own:0]]", date=NOW, keyring=KEYRING)
    readers = [
        replace(READER, subscriber_id=number, email=f"r{number}@example.com",
                traits=Traits(name=f"N{number}", audience="buyer" * (number % 2)))
        for number in range(120)
    ]  # fmt: skip
    fresh = compiled.Compiled(PERSONAL.content_type, PERSONAL.pieces, PERSONAL.personal)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda reader: message.assemble(head, fresh, reader).message, readers))
    assert made == [message.assemble(head, PERSONAL, reader).message for reader in readers]
    assert desk.verified(made[-1]) == [True, True]


@pytest.mark.parametrize("audience", ["buyer", ""])
def test_the_digest_is_that_of_the_body_whatever_its_variant(audience: str) -> None:
    traits = Traits(name="Ada", audience=audience)
    decision = PERSONAL.personal.decide(traits)
    head = message.masthead(SETTINGS, 9, subject="x", date=NOW, keyring=KEYRING)
    for name in ("", "Ada", "Zoë " * 40):
        values = message.values_of(head, replace(READER, list_title=name))
        parts = PERSONAL.parts(values, decision)
        assert PERSONAL.digest(parts, decision) == hashlib.sha256(b"".join(parts)).digest()
        assert parts[-1].endswith(b"--\r\n")
    constant = compiled.compile("<p>x</p>", "x\n", boundary="b")
    assert constant.digest(constant.parts({})) == hashlib.sha256(b"".join(constant.parts({}))).digest()


@pytest.mark.parametrize("both", [True, False])
def test_opendkim_verifies_and_sees_through_a_second_from(desk: Desk, tmp_path: Path, both: bool) -> None:
    made = desk.message(replace(READER, traits=Traits(name="Zoë")), PERSONAL, "Neu: [[own:0]] — 🦆", both=both)
    assert "(s=s1, d=news.harbour.example, 2048-bit key) succeeded" in opendkim.verify(tmp_path, made, desk.records)
    end = made.index(b"\r\n\r\n") + 2
    spoof = b"From: evil@example.org\r\n"
    for broken in (
        spoof + made,
        made[:end] + spoof + made[end:],
        made.replace(b"Subject: ", b"Subject: x"),
        made.replace(b"dots", b"bots"),
    ):
        assert "failed" in opendkim.verify(tmp_path, broken, desk.records)


def test_opendkim_verifies_the_second_signature_too(desk: Desk, tmp_path: Path) -> None:
    made = desk.message()
    second = made[made.index(b"DKIM-Signature: v=1; a=ed25519") :]
    assert "(s=e1, d=news.harbour.example" in opendkim.verify(tmp_path, second, desk.records)
    assert "succeeded" in opendkim.verify(tmp_path, second, desk.records)


def test_an_unsound_key_is_refused_before_anybody_is_claimed(desk: Desk, tmp_path: Path) -> None:
    missing = Dkim(domain=DOMAIN, selector="s1", key=str(tmp_path / "gone.pem"))
    with pytest.raises(SettingsError, match="is missing; restore it"):
        message.masthead(SETTINGS.model_copy(update={"dkim": missing}), 9, subject="x", date=NOW, keyring=KEYRING)


def test_a_signed_message_is_still_a_sound_one(signed: bytes) -> None:
    lint(signed[signed.index(b"From: ") :])
