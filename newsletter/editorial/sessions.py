"""Sessions: the browsers in which people of the desk are in, until they leave, stay away, or a week is over."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, or_, select, update

from newsletter.editorial.models import DeskSession, LoginLink, Person

#: How long somebody can stay away, and how long a session lasts at most.
IDLE, LASTS = timedelta(hours=12), timedelta(days=7)
#: How often it is written down that somebody is still there.
_OFTEN = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """A browser in which somebody is in: what it calls itself, since when, and when it was last seen."""

    id: int
    person: str
    agent: str
    began_at: datetime
    seen_at: datetime

    @property
    def ends_at(self) -> datetime:
        """Return when the session ends if nobody comes back to it."""
        return min(self.seen_at + IDLE, self.began_at + LASTS)


def begin(session: Session, person: str, *, agent: str = "", now: datetime) -> str:
    """Begin a session of a person, and return its token, which is told here once and never again."""
    session.execute(delete(DeskSession).where(_over(now)))
    token = secrets.token_urlsafe(32)
    session.add(DeskSession(person=person, token_sha256=_digest(token), agent=agent, began_at=now, seen_at=now))
    session.flush()
    return token


def find(session: Session, token: str, *, now: datetime) -> SessionView | None:
    """Return the session of a token, None where it is over or its person works here no more."""
    works = select(Person.handle).where(col(Person.active))
    query = select(DeskSession).where(DeskSession.token_sha256 == _digest(token), col(DeskSession.person).in_(works))
    row = session.exec(query.where(~_over(now))).first()
    return _view(row) if row else None


def rests(found: SessionView, *, now: datetime) -> bool:
    """Return whether it is time to write down that the session's person is still there."""
    return now - found.seen_at >= _OFTEN


def touch(session: Session, id: int, *, now: datetime) -> None:
    """Write down that a session's person is still there."""
    session.execute(update(DeskSession).where(col(DeskSession.id) == id).values(seen_at=now))


def of(session: Session, person: str, *, now: datetime) -> list[SessionView]:
    """Return a person's sessions that go on, oldest first."""
    query = select(DeskSession).where(DeskSession.person == person, ~_over(now)).order_by(col(DeskSession.id))
    return [_view(row) for row in session.exec(query)]


def end(session: Session, id: int) -> None:
    """End one session."""
    session.execute(delete(DeskSession).where(col(DeskSession.id) == id))


def end_all(session: Session, person: str) -> int:
    """End a person's sessions, and the links that would begin others; return how many sessions that were."""
    session.execute(delete(LoginLink).where(col(LoginLink.person) == person))
    ended = session.execute(delete(DeskSession).where(col(DeskSession.person) == person))
    return int(ended.rowcount)  # type: ignore[attr-defined]


def _over(now: datetime) -> ColumnElement[bool]:
    return or_(col(DeskSession.seen_at) <= now - IDLE, col(DeskSession.began_at) <= now - LASTS)


def _view(row: DeskSession) -> SessionView:
    assert row.id is not None
    return SessionView(id=row.id, person=row.person, agent=row.agent, began_at=row.began_at, seen_at=row.seen_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
