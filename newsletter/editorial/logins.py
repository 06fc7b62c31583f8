"""Logins: a link that lets one person in at the desk page, once and soon, mailed to the address that they have here.

The token in the link is random and only its hash is kept: who reads the database cannot come in as anybody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select, update

from newsletter import audit
from newsletter.editorial import people, sessions
from newsletter.editorial.models import LoginLink
from newsletter.editorial.people import PersonView
from newsletter.errors import Refused
from subscribers.words import printable

#: How long a link is good for.
LASTS = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A new link; `token` is told here once and never again."""

    token: str
    person: PersonView
    expires_at: datetime


def ask(session: Session, address: str, *, now: datetime) -> Asked | None:
    """Make a link for who works here under an address; None for an address that nobody, or more than one, has here."""
    session.execute(delete(LoginLink).where(col(LoginLink.expires_at) <= now - LASTS))
    person = people.at(session, address)
    if person is None:
        return None
    token = secrets.token_urlsafe(32)
    link = LoginLink(person=person.handle, token_sha256=_digest(token), at=now, expires_at=now + LASTS)
    session.add(link)
    session.flush()
    return Asked(token=token, person=person, expires_at=link.expires_at)


def look(session: Session, token: str, *, now: datetime) -> PersonView | None:
    """Return whom a link lets in, None where it lets in nobody any more; nothing changes."""
    link = session.exec(select(LoginLink).where(LoginLink.token_sha256 == _digest(token))).first()
    if link is None or link.used_at or link.expires_at <= now:
        return None
    person = people.get(session, link.person)
    return person if person.active else None


def take(session: Session, token: str, *, agent: str = "", now: datetime) -> str:
    """Let the link's person in, and return the token of their session; Refused where the link lets in nobody."""
    person = look(session, token, now=now)
    # Guarded: of two presses at once one finds the link used.
    still = (col(LoginLink.token_sha256) == _digest(token), col(LoginLink.used_at).is_(None))
    used = update(LoginLink).where(*still).values(used_at=now)
    if person is None or session.execute(used).rowcount != 1:  # type: ignore[attr-defined]
        raise Refused("this link was used already, or is older than a quarter of an hour; ask for another")
    audit.append(session, "logged in", actor=person.handle, kind="person", name=person.handle, now=now)
    return sessions.begin(session, person.handle, agent=printable(agent, 200), now=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
