"""The address that a copy returns to, and what mail servers do to it on the way."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery import returns
from newsletter.delivery.returns import Return
from subscribers import tokens
from subscribers.tokens import Keyring, Purpose, Sealer
from tests.delivery.desk import KEYRING

DOMAIN = "bounces.harbour.example"
SEALER = returns.sealer(KEYRING)
number = st.integers(0, 2**32 - 1)


def address(issue: int, subscriber: int, keyring: Keyring = KEYRING) -> str:
    return returns.address(returns.token(returns.sealer(keyring), issue, subscriber), DOMAIN)


@given(number, number)
def test_an_address_says_whose_copy_of_which_issue_it_was(issue: int, subscriber: int) -> None:
    made = address(issue, subscriber)
    assert returns.read(KEYRING, made) == Return(issue, subscriber)
    local, _, domain = made.partition("@")
    assert len(local) <= 64  # RFC 5321 4.5.3.1.1
    assert domain == DOMAIN
    assert re.fullmatch(r"b\+[0-9a-f]{50}", local)


@given(number, number, st.sampled_from(["+", "=", "-", "_", "."]), st.randoms(use_true_random=False))
def test_what_servers_make_of_it_changes_nothing(issue: int, subscriber: int, plus: str, random: object) -> None:
    made = address(issue, subscriber).replace("+", plus)
    folded = "".join(mark.upper() if random.random() < 0.5 else mark for mark in made)  # type: ignore[attr-defined]
    for each in (made.upper(), folded, f"<{folded}>", f" {folded}\r\n"):
        assert returns.read(KEYRING, each) == Return(issue, subscriber)


@pytest.mark.parametrize(
    "wrapped",
    ["SRS0=HHH=TT=bounces.harbour.example={}@forward.example", "prvs=0123456789={}@bounces.harbour.example", "{}"],
)
def test_a_forwarders_wrapping_is_looked_through(wrapped: str) -> None:
    local = address(9, 42).partition("@")[0]
    assert returns.read(KEYRING, wrapped.format(local)) == Return(9, 42)


def test_the_envelope_identifier_alone_is_read_too() -> None:
    assert returns.read(KEYRING, returns.token(SEALER, 9, 42)) == Return(9, 42)


@given(st.integers(0, 49), st.sampled_from("0123456789abcdef"))
def test_a_forged_address_is_nobodys(place: int, mark: str) -> None:
    token = returns.token(SEALER, 9, 42)
    forged = token[:place] + mark + token[place + 1 :]
    assert returns.read(KEYRING, returns.address(forged, DOMAIN)) == (Return(9, 42) if forged == token else None)


@given(st.text(max_size=200))
def test_no_text_is_taken_for_one(text: str) -> None:
    assert returns.read(KEYRING, text) is None


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(0, 0)])
def test_a_part_of_one_is_nobodys(cut: slice) -> None:
    assert returns.read(KEYRING, returns.token(SEALER, 9, 42)[cut]) is None
    assert returns.read(KEYRING, returns.token(SEALER, 9, 42) + "a") is None


def test_a_link_is_no_return_and_a_return_is_no_link() -> None:
    raw = Sealer(KEYRING, Purpose.BOUNCE).seal(9, 42)
    assert tokens.unseal(KEYRING, Purpose.BOUNCE, raw) == (9, 42)
    for purpose in set(Purpose) - {Purpose.BOUNCE}:
        assert tokens.unseal(KEYRING, purpose, raw) is None


def test_an_old_keys_addresses_stay_good_after_a_new_key_and_end_with_it() -> None:
    rotated = Keyring.parse("1:" + "5a" * 32 + "\n2:" + "7b" * 32)
    assert returns.read(rotated, address(9, 42)) == Return(9, 42)
    assert returns.read(KEYRING, address(9, 42, rotated)) is None


def test_every_copy_returns_to_an_address_of_its_own() -> None:
    made = {address(issue, subscriber) for issue in range(30) for subscriber in range(30)}
    assert len(made) == 900
