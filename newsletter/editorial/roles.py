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
    """Refuse whoever may act in none of the fitting roles.

    Who was given roles is held to them. Until the desk names its first admin, whoever was given none may do everything.
    """
    held = session.exec(select(Person.roles).where(Person.handle == who, Person.active)).first() or []
    if reach(held) & set(fitting) or not (held or _governed(session)):
        return
    wanted = " or ".join(fitting)
    if held:
        raise Refused(
            f"{who} is {', '.join(held)} here, and this takes {wanted}; ask an admin: "
            f"newsletter people edit {who} --role {fitting[0]}"
        )
    raise Refused(
        f"{who} has no role here, and this takes {wanted}; act as somebody who has it (--as PERSON), or ask an admin: "
        f"newsletter people add {who} --role {fitting[0]}"
    )


def _governed(session: Session) -> bool:
    """Return whether the desk has an admin."""
    return any(Role.ADMIN in held for held in session.exec(select(Person.roles).where(col(Person.active))))
