"""Roles: what each person of the desk may do."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from newsletter.editorial.models import Person, Role
from newsletter.errors import Refused

#: A role, and those whose work it includes.
INCLUDES: dict[Role, frozenset[Role]] = {
    Role.SCOUT: frozenset(),
    Role.WRITER: frozenset({Role.SCOUT}),
    Role.EDITOR: frozenset({Role.SCOUT, Role.WRITER}),
    Role.STANDARDS: frozenset(),
    Role.SENDER: frozenset(),
    Role.ADMIN: frozenset(),
}


def reach(held: Iterable[str]) -> set[Role]:
    """Return every role that somebody with these may act in."""
    return {role for name in held for role in {Role(name), *INCLUDES[Role(name)]}}


def require(session: Session, who: str, *fitting: Role) -> None:
    """Refuse whoever may act in none of the fitting roles, and whoever works here no more.

    Who was given roles is held to them. Until the desk names its first admin, whoever was given none may do everything.
    """
    person = session.exec(select(Person.roles, Person.active).where(Person.handle == who)).first()
    held, active = person or ([], True)
    wanted = " or ".join(fitting)
    if not active:
        raise Refused(
            f"{who} works here no more, and this takes {wanted}; act as somebody who does (--as PERSON), or ask an "
            f"admin: {_as_an_admin(session, f'newsletter people add {who} --role {fitting[0]}')}"
        )
    if reach(held) & set(fitting) or not (held or governed(session)):
        return
    if held:
        all_of = " ".join(f"--role {role}" for role in (*held, fitting[0]))
        way = _as_an_admin(session, f"newsletter people edit {who} {all_of}")
        raise Refused(f"{who} is {', '.join(held)} here, and this takes {wanted}; ask an admin: {way}")
    verb = "edit" if person else "add"
    raise Refused(
        f"{who} has no role here, and this takes {wanted}; act as somebody who has it (--as PERSON), or ask an admin: "
        f"newsletter people {verb} {who} --role {fitting[0]}"
    )


def governed(session: Session) -> bool:
    """Return whether the desk has an admin."""
    return bool(admins(session))


def admins(session: Session) -> list[str]:
    """Return who keeps the people of the desk, by short name."""
    query = select(Person.handle, Person.roles).where(col(Person.active)).order_by(col(Person.handle))
    return [handle for handle, held in session.exec(query) if Role.ADMIN in held]


def _as_an_admin(session: Session, command: str) -> str:
    """Return the command for an admin to give, or first the one that makes an admin."""
    if governed(session):
        return command
    return (
        f"{command} (there is none yet; somebody without a role names one: newsletter people add HANDLE --role admin)"
    )
