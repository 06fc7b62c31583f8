"""Signed tokens in links."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers import tokens
from subscribers.errors import BadValue
from subscribers.tokens import Keyring, Purpose

KEYS = Keyring.parse("1:" + "5a" * 32 + "\n")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_numbers = st.integers(0, 2**32 - 1)


@given(_numbers, _numbers, st.sampled_from(Purpose))
def test_a_token_says_its_two_numbers_again(first: int, second: int, purpose: Purpose) -> None:
    token = tokens.sign(KEYS, purpose, first, second)
    assert re.fullmatch(r"[A-Za-z0-9_-]{34}", token)
    assert tokens.read(KEYS, purpose, token) == (first, second)


def test_a_token_stays_the_same_for_years() -> None:
    assert tokens.sign(KEYS, Purpose.UNSUBSCRIBE, 7, 2) == "AQAAAAcAAAACL8AIpbfWqXGdD_AVYpkB6Q"


def test_any_other_character_at_any_place_makes_it_worthless() -> None:
    token = tokens.sign(KEYS, Purpose.UNSUBSCRIBE, 7, 2)
    for place, was in enumerate(token):
        for character in ALPHABET + "+/= \n":
            if character != was:
                forged = token[:place] + character + token[place + 1 :]
                assert tokens.read(KEYS, Purpose.UNSUBSCRIBE, forged) is None, forged


def test_a_token_is_for_one_purpose() -> None:
    for purpose in Purpose:
        token = tokens.sign(KEYS, purpose, 7)
        assert [other for other in Purpose if tokens.read(KEYS, other, token)] == [purpose]


def test_a_new_key_signs_and_the_old_one_still_verifies() -> None:
    both = Keyring.parse("1:" + "5a" * 32 + "\n2:" + "6b" * 32 + "\n")
    old = tokens.sign(KEYS, Purpose.ISSUE, 3)
    new = tokens.sign(both, Purpose.ISSUE, 3)
    assert tokens.read(both, Purpose.ISSUE, old) == tokens.read(both, Purpose.ISSUE, new) == (3, 0)
    assert new != old
    assert tokens.read(KEYS, Purpose.ISSUE, new) is None


def test_another_key_of_the_same_number_does_not_verify() -> None:
    other = Keyring.parse(tokens.generate())
    assert tokens.read(other, Purpose.ISSUE, tokens.sign(KEYS, Purpose.ISSUE, 3)) is None


@given(st.text(max_size=60) | st.text(ALPHABET, min_size=30, max_size=40) | st.text(min_size=34, max_size=34))
def test_no_text_is_taken_for_a_token(text: str) -> None:
    assert tokens.read(KEYS, Purpose.UNSUBSCRIBE, text) is None


def test_a_token_cut_short_or_added_to_is_worthless() -> None:
    token = tokens.sign(KEYS, Purpose.UNSUBSCRIBE, 7, 2)
    for forged in (*(token[:end] for end in range(34)), token + "A", token + "==", token * 1000, "é" + token[1:]):
        assert tokens.read(KEYS, Purpose.UNSUBSCRIBE, forged) is None


def test_a_fresh_key_file_reads_and_is_another_each_time() -> None:
    text = tokens.generate()
    assert Keyring.parse(text).newest == 1
    assert text != tokens.generate()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "holds no key"),
        ("\n \n", "holds no key"),
        ("1:" + "5a" * 32 + "\nkey\n", "line 2"),
        ("1:" + "5a" * 31, "line 1"),
        ("0:" + "5a" * 32, "line 1"),
        ("256:" + "5a" * 32, "line 1"),
        ("1:" + "5g" * 32, "line 1"),
        ("²:" + "5a" * 32, "line 1"),
        ("1:" + "5a" * 32 + "\n1:" + "6b" * 32, "line 2"),
    ],
)
def test_a_bad_key_file_is_refused_by_line_and_its_secret_stays_untold(text: str, where: str) -> None:
    with pytest.raises(BadValue, match=where) as caught:
        Keyring.parse(text)
    assert "5a5a" not in str(caught.value)
    assert "6b6b" not in str(caught.value)


def test_the_keys_do_not_show_when_a_keyring_is_printed() -> None:
    assert "Z" * 8 not in repr(KEYS)
    assert repr(KEYS) == "Keyring(newest=1)"
