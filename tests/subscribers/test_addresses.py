"""Addresses and their keys."""

import unicodedata

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers import addresses
from subscribers.errors import BadAddress

_local = st.text("abzABZ019.!#$%&'*+/=?^_`{|}~-éßΣİK ǅﬁ", min_size=1, max_size=70)
_domain = st.sampled_from(["example.com", "EXAMPLE.test", "exämple.de", "STRAßE.de", "x.invalid", "nodot", "a..b", ""])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.B+news@Example.COM", "ada.b+news@example.com"),
        ("reader@desk.example", "reader@desk.example"),
        ("reader@example.test", "reader@example.test"),
        ("info@exämple.de", "info@xn--exmple-cua.de"),
        ("info@XN--EXMPLE-CUA.de", "info@xn--exmple-cua.de"),
        ("Jürgen@example.com", "jürgen@example.com"),
        ("Ju\u0308rgen@example.com", "jürgen@example.com"),
    ],
)
def test_an_address_is_kept_as_given_and_compared_by_its_key(text: str, key: str) -> None:
    parsed = addresses.parse(text)
    assert (parsed.email, parsed.key) == (text, key)
    assert addresses.parse(key).key == key


def test_only_a_local_part_outside_ascii_needs_smtputf8() -> None:
    assert addresses.parse("jürgen@example.com").smtputf8
    assert not addresses.parse("info@exämple.de").smtputf8


def test_an_envelope_carries_the_domain_in_ascii_and_the_local_part_as_given() -> None:
    assert addresses.on_the_wire("Info@exämple.de") == "Info@xn--exmple-cua.de"


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "ada", "ada@", "@example.com", "ada@example", "ada@test", "ada@@example.com", "a b@example.com",
        " ada@example.com", "ada@example.com ", "ada@example.com\n", "ada@example.com\r\nBcc: x@example.com",
        "ada\r\n@example.com", "ada\0@example.com", "ada@exam\0ple.com", "Ada <ada@example.com>", "<ada@example.com>",
        "ada@example.com,bob@example.com", ".ada@example.com", "ada..b@example.com", '"ada"@example.com',
        '"a\nb"@example.com', "ada@[127.0.0.1]", "ada@127.0.0.1", "ada@localhost", "ada@-x.com", "ada@x.invalid",
        "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com", "a" * 60 + "@" + "b." * 100 + "com", "\ud800@example.com",
        "ada@example.com>", "ada@<example.com>", "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadAddress) as caught:
        addresses.parse(text)
    assert caught.value.value == text
    assert repr(text[:100]) in str(caught.value)
    assert len(str(caught.value)) < 1500


@given(st.text() | st.builds("{}@{}".format, _local, _domain) | st.emails())
def test_any_text_is_an_address_or_a_bad_one(text: str) -> None:
    try:
        parsed = addresses.parse(text)
    except BadAddress:
        return
    assert parsed.email == text
    assert not set(text) & set("\r\n\0 <>,")
    assert len(parsed.key) <= 320


@given(st.builds("{}@{}".format, _local, _domain) | st.emails())
def test_the_key_of_a_key_is_the_key_and_case_does_not_matter(text: str) -> None:
    try:
        key = addresses.parse(text).key
        again, upper = addresses.parse(key).key, addresses.parse(text.upper()).key
    except BadAddress:
        return
    assert again == key
    if text.isascii():
        assert upper == key


def oracle(text: str) -> str | None:
    """Return the key that the library's reading of an address comes to, None where it reads none."""
    try:
        found = validate_email(text, strict=True, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    if "." not in found.ascii_domain:
        return None
    return f"{unicodedata.normalize('NFC', found.local_part.casefold())}@{found.ascii_domain.lower()}"


_label = st.text("abzA09-\u00e9\u00df", min_size=1, max_size=6) | st.sampled_from(
    [
        "xn--exmple-cua",
        "xn--",
        "ab--cd",
        "a" * 63,
        "a" * 64,
        "-a",
        "a-",
        "com",
        "test",
        "invalid",
        "local",
        "arpa",
        "1",
        "\uff0e",
    ]
)
_domains = st.lists(_label, min_size=1, max_size=5).map(".".join) | st.sampled_from(
    ["a.onion", "localhost", "x.localhost", "[127.0.0.1]", "b." * 126 + "c", "a.b.", ".a.b", "a..b", "example.c\u00f6m"]
)


@settings(max_examples=600)
@given(
    st.builds("{}@{}".format, _local, _domains) | st.emails() | st.builds("{}@{}".format, st.text(max_size=8), _domains)
)
def test_the_fast_way_takes_what_the_library_takes_and_to_the_same_key(text: str) -> None:
    try:
        key = addresses.parse(text).key
    except BadAddress:
        key = None
    assert key == oracle(text)


@settings(max_examples=300)
@given(st.builds("{}@{}".format, _local, _domains) | st.emails() | st.text(max_size=20))
def test_an_envelope_carries_every_address_and_nothing_else(text: str) -> None:
    try:
        key = addresses.parse(text).key
    except BadAddress:
        with pytest.raises(BadAddress):
            addresses.on_the_wire(text)
    else:
        assert addresses.on_the_wire(text) == f"{text.rpartition('@')[0]}@{key.rpartition('@')[2]}"
