"""What the tests of the audience start from."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from subscribers import lists
from tests.subscribers.importing import Desk


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


@pytest.fixture
def here(engine: Engine, tmp_path: Path, now: datetime) -> Desk:
    """Return a desk with two lists and the attribute `plan`."""
    made = Desk(engine, tmp_path, now)
    with made.open() as session:
        lists.create(session, "weekly", title="The week", now=now)
        lists.create(session, "alerts", title="Alerts", now=now)
    made.declare("plan")
    return made
