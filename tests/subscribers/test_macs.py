"""HMAC-SHA256, as the library has it."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from subscribers.macs import Mac


@given(st.binary(max_size=150), st.binary(max_size=30), st.lists(st.binary(max_size=200), min_size=1, max_size=3))
def test_each_message_comes_to_what_the_library_comes_to(key: bytes, beginning: bytes, messages: list[bytes]) -> None:
    mac = Mac(key, beginning)
    for message in messages:
        assert mac.digest(message) == hmac.digest(key, beginning + message, "sha256")
