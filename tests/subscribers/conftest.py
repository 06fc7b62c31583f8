"""What the tests of the audience start from."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from subscribers import lists


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Return an open transaction on an empty database; nothing of it stays."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def desk(session: Session, now: datetime) -> Session:
    """Return a transaction in which the lists `weekly` (1) and `alerts` (2) exist."""
    lists.create(session, "weekly", title="The week", now=now)
    lists.create(session, "alerts", title="Alerts", now=now)
    return session
