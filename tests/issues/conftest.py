"""A desk with approved briefings, in an open transaction."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.editorial import approvals, briefings, people
from tests.support.texts import briefing

Approve = Callable[..., str]


@pytest.fixture
def session(engine: Engine, now: datetime) -> Iterator[Session]:
    """Return an open transaction at a desk where mara and jonas work."""
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas"):
            people.add(session, handle, now=now)
        yield session


@pytest.fixture
def approve(session: Session, tmp_path: Path, now: datetime) -> Approve:
    """Bring a briefing all the way to its approval."""

    def do(id: str, *, at: datetime = now, **words: str) -> str:
        return approved(session, tmp_path / "briefings", id, at=at, **words)

    return do


def approved(session: Session, folder: Path, id: str, *, at: datetime, **words: str) -> str:
    """Write a briefing that mara hands in and jonas approves, and return its id."""
    folder.mkdir(exist_ok=True)
    (folder / f"{id}.md").write_text(briefing(id, now=at, **words), "utf-8")
    briefings.refresh(session, folder, actor="mara", now=at, only=[id])
    briefings.submit(session, id, actor="mara", now=at)
    approvals.approve(session, id, actor="jonas", solo=False, now=at)
    return id
