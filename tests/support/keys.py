"""The keys that tests sign with."""

from subscribers.tokens import Keyring

KEYRING = Keyring(keys={1: bytes(range(32))}, newest=1)
