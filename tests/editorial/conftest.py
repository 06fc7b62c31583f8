"""An editors' room to test in: an open transaction, a folder of files, two people, a text that passes the gate."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.demo import samples
from newsletter.editorial import briefings, format, people
from newsletter.editorial.document import Document
from tests.conftest import NOW

_FILES = {name.removesuffix(".md"): text for name, text in samples.briefings(NOW)}
#: A text by mara that has nothing against it.
GOOD = format.parse(_FILES["high-bandwidth-memory-contracts"], where="the sample")


def document(**changes: Any) -> Document:
    """Return a document that passes the gate, but for the changes."""
    return replace(GOOD, **{"id": "memory-prices", **changes})


@pytest.fixture
def session(engine: Engine, now: datetime) -> Iterator[Session]:
    """Return an open transaction at a desk where mara, jonas and ines work."""
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas", "ines"):
            people.add(session, handle, now=now)
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder for briefings."""
    path = tmp_path / "briefings"
    path.mkdir(exist_ok=True)
    return path


class Room:
    """What most tests do first: write a file, and bring its briefing as far as they need it."""

    def __init__(self, session: Session, folder: Path, now: datetime) -> None:
        self.session, self.folder, self.now = session, folder, now

    def path(self, id: str = "memory-prices") -> Path:
        return self.folder / f"{id}.md"

    def write(self, **changes: Any) -> Document:
        """Write a document into its file, as an editor would."""
        made = document(**changes)
        self.path(made.id).write_text(format.dump(made), "utf-8")
        return made

    def refresh(self, actor: str = "mara") -> list[briefings.BriefingProblem]:
        return briefings.refresh(self.session, self.folder, actor=actor, now=self.now)

    def submit(self, actor: str = "mara", id: str = "memory-prices") -> briefings.Standing:
        return briefings.submit(self.session, id, actor=actor, now=self.now)

    def get(self, id: str = "memory-prices") -> briefings.Standing:
        return briefings.get(self.session, id)

    def actions(self, id: str = "memory-prices") -> list[tuple[str, str]]:
        """Return who did what, oldest first."""
        return [(entry.actor, entry.action) for entry in briefings.history(self.session, id)]


@pytest.fixture
def room(session: Session, folder: Path, now: datetime) -> Room:
    """Return the room with one briefing by mara, in review."""
    made = Room(session, folder, now)
    made.write()
    made.refresh()
    made.submit()
    return made
