"""The people of the desk, by the short names that commands and records use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import roles, sessions, text
from newsletter.editorial.models import Person, Role
from newsletter.editorial.names import HANDLE
from newsletter.errors import BadInput, NotFound, Refused
from subscribers import addresses
from subscribers.errors import BadAddress


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """Somebody who works at the desk, or did; `may` is every role that they can act in."""

    handle: str
    name: str
    email: str
    roles: tuple[Role, ...]
    may: tuple[Role, ...]
    active: bool
    added_at: datetime


def add(
    session: Session, handle: str, *, name: str = "", email: str = "", roles: Collection[Role] = (),
    actor: str = "desk", now: datetime,
) -> PersonView:  # fmt: skip
    """Add somebody; without a name they go by their handle. Whoever was removed comes back to their records."""
    if not HANDLE.fits(handle):
        raise BadInput(f"{handle!r} cannot be a person's short name; use {HANDLE}")
    person = _row(session, handle)
    if person and person.active:
        raise Refused(f"{handle} works here already; change what is known of them: newsletter people edit {handle}")
    action = "returned" if person else "added"
    person = person or Person(handle=handle, name=handle, added_at=now)
    person.name = _name(name) or person.name
    person.email = _email(email) or person.email
    person.roles, person.active = _ordered(roles), True
    session.add(person)
    session.flush()
    audit.append(session, action, actor=actor, kind="person", name=handle, now=now, roles=person.roles)
    return _view(person)


def edit(
    session: Session, handle: str, *, name: str | None = None, email: str | None = None,
    roles: Collection[Role] | None = None, actor: str, now: datetime,
) -> PersonView:  # fmt: skip
    """Change what is known of somebody, or which roles they have from now on; None leaves a thing as it is."""
    person = _working(session, handle)
    before = (person.name, person.email, person.roles)
    if name is not None:
        person.name = _name(name) or handle
    if email is not None:
        person.email = _email(email)
        if person.email != before[1]:  # who reads the mail of the old address comes in no more
            sessions.end_all(session, handle)
    if roles is not None:
        _keep_an_admin(session, person, roles)
        person.roles = _ordered(roles)
    after = (person.name, person.email, person.roles)
    changed = [what for what, old, new in zip(("name", "email", "roles"), before, after, strict=True) if old != new]
    if changed:
        session.add(person)
        session.flush()
        detail = {"changed": changed, "roles": person.roles, "before": before[2]}
        audit.append(session, "edited", actor=actor, kind="person", name=handle, now=now, **detail)
    return _view(person)


def remove(session: Session, handle: str, *, actor: str, now: datetime) -> PersonView:
    """Let somebody act no more; what they did stays under their name."""
    person = _working(session, handle)
    _keep_an_admin(session, person, ())
    had = person.roles
    person.roles, person.active = [], False
    session.add(person)
    sessions.end_all(session, handle)
    session.flush()
    audit.append(session, "removed", actor=actor, kind="person", name=handle, now=now, roles=had)
    return _view(person)


def all(session: Session) -> list[PersonView]:
    """Return who works here, by handle."""
    return [_view(person) for person in session.exec(select(Person).where(Person.active).order_by(col(Person.handle)))]


def get(session: Session, handle: str) -> PersonView:
    """Return a person who works here or did; NotFound says how to add them."""
    person = _row(session, handle)
    if person is None:
        raise _stranger(session, handle)
    return _view(person)


def require(session: Session, handle: str) -> PersonView:
    """Return a person who works here; NotFound says how to add them."""
    return _view(_working(session, handle))


def at(session: Session, address: str) -> PersonView | None:
    """Return who works here under an address, None where nobody does, or more than one: it does not tell them apart."""
    try:
        wanted = addresses.parse(address).key
    except BadAddress:
        return None
    working = session.exec(select(Person).where(Person.active, Person.email != "")).all()
    found = [person for person in working if addresses.parse(person.email).key == wanted]
    return _view(found[0]) if len(found) == 1 else None


def log_out(session: Session, handle: str, *, actor: str, now: datetime) -> int:
    """End the sessions of somebody at the desk page; return how many there were."""
    get(session, handle)
    ended = sessions.end_all(session, handle)
    audit.append(session, "logged out", actor=actor, kind="person", name=handle, now=now, sessions=ended)
    return ended


def _working(session: Session, handle: str) -> Person:
    person = _row(session, handle)
    if person is None or not person.active:
        raise _stranger(session, handle)
    return person


def _stranger(session: Session, handle: str) -> NotFound:
    near = get_close_matches(handle, [each.handle for each in all(session)], n=1)
    hint = f"did you mean {near[0]}? Or add them" if near else "add them"
    return NotFound(f"nobody here is called {handle!r}; {hint}: newsletter people add {handle or 'HANDLE'}")


def _keep_an_admin(session: Session, person: Person, held: Collection[Role]) -> None:
    # PostgreSQL would let two admins remove each other at once (SQLite has one writer).
    session.exec(select(Person.id).where(col(Person.active)).order_by(col(Person.id)).with_for_update()).all()
    if Role.ADMIN not in held and roles.admins(session) == [person.handle]:
        raise Refused(
            f"{person.handle} is the desk's only admin; name another first: newsletter people edit PERSON --role admin"
        )


def _name(given: str) -> str:
    name = text.normal(given).strip()
    if len(name) > 200 or text.refused(name) or "\n" in name or "\t" in name:
        raise BadInput(f"the name {name[:40]!r} is no line of up to 200 characters; give it with --name")
    return name


def _email(given: str) -> str:
    try:
        return addresses.parse(given).email if given else ""
    except BadAddress as error:
        raise BadInput(f"{error}; give another with --email, or none") from error


def _ordered(held: Collection[Role]) -> list[str]:
    return [role.value for role in Role if role in held]


def _row(session: Session, handle: str) -> Person | None:
    return session.exec(select(Person).where(Person.handle == handle)).first()


def _view(person: Person) -> PersonView:
    reach = roles.reach(person.roles)
    return PersonView(
        handle=person.handle, name=person.name, email=person.email, roles=tuple(map(Role, person.roles)),
        may=tuple(role for role in Role if role in reach), active=person.active, added_at=person.added_at,
    )  # fmt: skip
