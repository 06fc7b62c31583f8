"""What a command starts from: the publication it is called in, its database, its people, the clock."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import audit, db, publication
from newsletter.cli import output
from newsletter.editorial import roles as editorial_roles
from newsletter.editorial.models import Role
from newsletter.editorial.names import HANDLE, UNSEEN
from newsletter.errors import BadInput, UsageError
from newsletter.settings import Settings, find, load
from subscribers.tokens import Keyring

#: The largest number that a database keeps for a row.
LARGEST = 2**31 - 1
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to the question.")]
Actor = Annotated[
    str, typer.Option("--as", metavar="PERSON", envvar="NEWSLETTER_ACTOR", help="Who does this; else the OS user.")
]
IssueNumber = Annotated[int, typer.Argument(metavar="ISSUE", help="The issue's number.", min=1, max=LARGEST)]


def actor(given: str) -> str:
    """Return who acts: the named person, else the user of the operating system."""
    if given and not HANDLE.fits(given):
        raise UsageError(f"--as {given} is nobody's short name; use {HANDLE}")
    return given or getpass.getuser()[:80]


@dataclass(frozen=True)
class Act:
    """Somebody doing something: the open transaction, their short name, the moment."""

    session: Session
    who: str
    now: datetime

    def record(self, action: str, kind: str, name: object, **detail: Any) -> None:
        """Write down what was done to the `kind` called `name`, never by address: nothing is erased from the trail."""
        audit.append(self.session, action, actor=self.who, kind=kind, name=name, now=self.now, **detail)


@dataclass(frozen=True)
class Desk:
    """A publication that is open for work."""

    start: Path

    @cached_property
    def settings(self) -> Settings:
        """Return the publication's settings."""
        return load(find(self.start), os.environ)

    @cached_property
    def engine(self) -> Engine:
        """Return the engine of its database, which has this program's schema."""
        return db.connect(self.settings)

    def close(self) -> None:
        """Close the connections to the database, where any was opened."""
        if "engine" in vars(self):
            self.engine.dispose()

    @cached_property
    def keyring(self) -> Keyring:
        """Return the keys behind the links in its mail."""
        return publication.keyring(self.settings)

    @property
    def now(self) -> datetime:
        """Return this moment."""
        return datetime.now(UTC)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open the one transaction of a command that changes something."""
        with db.transaction(self.engine) as session:
            yield session

    def may(self, given: str, *roles: Role) -> str:
        """Return who acts, or refuse whoever has none of the roles before anything is done."""
        who = actor(given)
        with self.read() as session:
            editorial_roles.require(session, who, *roles)
        return who

    @contextmanager
    def acting(self, given: str, *roles: Role) -> Iterator[Act]:
        """Open the one transaction of a command that takes one of the roles, and say who acts."""
        who = actor(given)
        with self.write() as session:
            editorial_roles.require(session, who, *roles)
            yield Act(session, who, self.now)

    @contextmanager
    def seeing(self, given: str, *roles: Role) -> Iterator[Session]:
        """Open the one transaction of a command that only looks, at what takes one of the roles to see."""
        who = actor(given)
        with self.read() as session:
            editorial_roles.require(session, who, *roles)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open the one transaction of a command that only looks."""
        with db.reading(self.engine) as session:
            yield session

    def look(self, *ids: str, who: str = UNSEEN) -> None:
        """Record edits to the named briefings' files, or to all of them, whatever the command does next.

        A file that cannot be taken is refused when it is named, else only told. Only who hands a text in answers for
        its edits: an approver who passed for the author of one could not approve any more.
        """
        with self.write() as session:
            self._refresh(session, who, ids)

    @contextmanager
    def glance(self, *ids: str) -> Iterator[Session]:
        """Open the one transaction of a command that shows briefings as their files stand, and records nothing."""
        with self.write() as session:
            self._refresh(session, UNSEEN, ids)
            yield session
            session.rollback()

    def _refresh(self, session: Session, who: str, ids: tuple[str, ...]) -> None:
        from newsletter.editorial import briefings  # which brings the whole gate, and most commands read no text

        problems = briefings.refresh(session, self.settings.briefings, actor=who, now=self.now, only=ids or None)
        if ids and problems:
            raise BadInput("; ".join(problem.message for problem in problems))
        for problem in problems:
            output.note(f"warning: {problem.message}")


def of(ctx: typer.Context) -> Desk:
    """Return the desk that the command was called in; it closes with the command."""
    here = Desk(ctx.obj)
    ctx.call_on_close(here.close)
    return here
