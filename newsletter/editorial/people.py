"""The people of the desk, by the short names that commands and records use."""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import text
from newsletter.editorial.models import Person
from newsletter.editorial.names import HANDLE
from newsletter.errors import BadInput, NotFound, Refused
from subscribers import addresses
from subscribers.errors import BadAddress


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """Somebody who works at the desk."""

    handle: str
    name: str
    email: str
    added_at: datetime


def add(
    session: Session, handle: str, *, name: str = "", email: str = "", actor: str = "desk", now: datetime
) -> PersonView:
    """Add somebody; without a name they go by their handle."""
    if not HANDLE.fits(handle):
        raise BadInput(f"{handle!r} cannot be a person's short name; use {HANDLE}")
    name = text.normal(name).strip() or handle
    if len(name) > 200 or text.refused(name) or "\n" in name or "\t" in name:
        raise BadInput(f"the name {name[:40]!r} is no line of up to 200 characters; give it with --name")
    try:
        email = addresses.parse(email).email if email else ""
    except BadAddress as error:
        raise BadInput(f"{error}; give another with --email, or none") from error
    if _row(session, handle):
        raise Refused(f"{handle} works here already; see them: newsletter people list")
    person = Person(handle=handle, name=name, email=email, added_at=now)
    session.add(person)
    session.flush()
    audit.append(session, "added", actor=actor, kind="person", name=handle, now=now)
    return _view(person)


def all(session: Session) -> list[PersonView]:
    """Return who works here, by handle."""
    return [_view(person) for person in session.exec(select(Person).where(Person.active).order_by(col(Person.handle)))]


def require(session: Session, handle: str) -> PersonView:
    """Return a person who works here; NotFound says how to add them."""
    person = _row(session, handle)
    if person is None or not person.active:
        near = get_close_matches(handle, [each.handle for each in all(session)], n=1)
        hint = f"did you mean {near[0]}? Or add them" if near else "add them"
        raise NotFound(f"nobody here is called {handle!r}; {hint}: newsletter people add {handle or 'HANDLE'}")
    return _view(person)


def _row(session: Session, handle: str) -> Person | None:
    return session.exec(select(Person).where(Person.handle == handle)).first()


def _view(person: Person) -> PersonView:
    return PersonView(handle=person.handle, name=person.name, email=person.email, added_at=person.added_at)
