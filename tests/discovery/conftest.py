"""A publisher on loopback, and a client that may ask it: no setting of a publication could let it."""

from collections.abc import Iterator

import pytest

from newsletter.fetching import Client
from tests.discovery.publisher import Publisher, publishing


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as server:
        yield server


@pytest.fixture
def client() -> Client:
    return Client(allowed=lambda address: address.startswith("127."), ports=None, wall=5.0)
