"""What the tests of this room share."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine

from newsletter.settings import Settings
from tests.delivery.room import Room
from tests.support.smtp import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server that accepts whatever it is not told to refuse."""
    with serving() as server:
        yield server


@pytest.fixture
def room(engine: Engine, settings: Settings, server: Server, now: datetime) -> Room:
    """Return a publication whose relay is the server."""
    return Room(engine, settings, server, now)
