"""`newsletter people`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial import people, sessions
from newsletter.editorial.models import Role
from newsletter.editorial.people import PersonView
from newsletter.errors import UsageError
from newsletter.words import counted

app = shape.noun("people")

Handle = Annotated[str, typer.Argument(help="The short name that commands and records use, such as mara.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="What they may do; may be given again.")]


@app.command()
def add(
    ctx: typer.Context,
    handle: Handle,
    name: Annotated[str, typer.Option(help="The full name.")] = "",
    email: Annotated[str, typer.Option(help="Where to reach them.")] = "",
    roles: Roles = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Add somebody who works at the desk, or take back who was removed.

    Until somebody is admin, whoever has no role may do everything; from then on, nothing that takes a role.
    """
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        person = people.add(act.session, handle, name=name, email=email, roles=roles or [], actor=act.who, now=act.now)
    if as_json:
        output.emit(person)
    else:
        output.say(f"{person.handle} works here now{_as(person)}; they act with --as {person.handle}")


@app.command()
def edit(
    ctx: typer.Context,
    handle: Handle,
    name: Annotated[str | None, typer.Option(help="The full name.")] = None,
    email: Annotated[str | None, typer.Option(help="Where to reach them; an empty one takes it away.")] = None,
    roles: Annotated[
        list[Role] | None, typer.Option("--role", help="From now on they have this role, and those given with it only.")
    ] = None,
    no_roles: Annotated[bool, typer.Option("--no-roles", help="From now on they have no role.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Change what is known of somebody, or what they may do."""
    if roles and no_roles:
        raise UsageError("--role and --no-roles contradict each other; leave one out")
    if name is email is None and not (roles or no_roles):
        raise UsageError("say what to change: --name, --email, --role or --no-roles")
    given = [] if no_roles else roles or None
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        person = people.edit(act.session, handle, name=name, email=email, roles=given, actor=act.who, now=act.now)
    if as_json:
        output.emit(person)
    else:
        output.say(f"{person.handle} is {person.name}{_as(person) or ', without a role'}")


@app.command()
def remove(ctx: typer.Context, handle: Handle, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Let somebody act no more; what they did stays under their name."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        person = people.remove(act.session, handle, actor=act.who, now=act.now)
    if as_json:
        output.emit(person)
    else:
        output.say(f"{handle} acts no more; their records stay. Take them back: newsletter people add {handle}")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List who works here."""
    with desk.of(ctx).read() as session:
        found = people.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(person.handle, person.name, person.roles, person.email) for person in found]
        output.table(("person", "name", "roles", "email"), rows, empty="Nobody yet; newsletter people add HANDLE")


@app.command()
def show(ctx: typer.Context, handle: Handle, as_json: desk.Json = False) -> None:
    """Show who somebody is, and what they may do."""
    with desk.of(ctx).read() as session:
        person = people.get(session, handle)
    if as_json:
        output.emit(person)
        return
    output.say(f"{person.handle}: {person.name}{f' <{person.email}>' if person.email else ''}")
    if not person.active:
        output.say("Works here no more.")
    elif person.roles:
        output.say(f"Roles: {', '.join(person.roles)}. May do the work of: {', '.join(person.may)}.")
    else:
        output.say("Has no role: may do what takes none; and everything, while the desk has no admin.")
    output.say(f"Added {person.added_at:%Y-%m-%d %H:%M} UTC")


@app.command("sessions")
def sessions_(ctx: typer.Context, handle: Handle, as_json: desk.Json = False) -> None:
    """List the browsers in which somebody is in at the desk page."""
    here = desk.of(ctx)
    with here.read() as session:
        people.get(session, handle)
        found = sessions.of(session, handle, now=here.now)
    if as_json:
        output.emit([{"session": each.id, **vars(each), "ends_at": each.ends_at} for each in found])
    else:
        rows = [(each.began_at, each.seen_at, each.ends_at, each.agent) for each in found]
        output.table(("since", "last seen", "ends", "browser"), rows, empty=f"{handle} is in nowhere")


@app.command()
def logout(ctx: typer.Context, handle: Handle, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """End all sessions of somebody at the desk page; the links that were mailed to them let in nobody any more.

    Everybody may end their own.
    """
    here = desk.of(ctx)
    fitting = tuple(Role) if desk.actor(as_) == handle else (Role.ADMIN,)
    with here.acting(as_, *fitting) as act:
        ended = people.log_out(act.session, handle, actor=act.who, now=act.now)
    if as_json:
        output.emit({"person": handle, "ended": ended})
    else:
        output.say(f"{handle} is out: {counted(ended, 'session')} ended")


def _as(person: PersonView) -> str:
    return f", as {', '.join(person.roles)}" if person.roles else ""
