"""`newsletter people`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial import people

app = shape.noun("people")


@app.command()
def add(
    ctx: typer.Context,
    handle: Annotated[str, typer.Argument(help="The short name that commands and records use, such as mara.")],
    name: Annotated[str, typer.Option(help="The full name.")] = "",
    email: Annotated[str, typer.Option(help="Where to reach them.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Add somebody who writes or approves."""
    here = desk.of(ctx)
    with here.write() as session:
        person = people.add(session, handle, name=name, email=email, actor=desk.actor(as_), now=here.now)
    if as_json:
        output.emit(person)
    else:
        output.say(f"{person.handle} works here now; they act with --as {person.handle}")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List who works here."""
    with desk.of(ctx).read() as session:
        found = people.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(person.handle, person.name, person.email) for person in found]
        output.table(("person", "name", "email"), rows, empty="Nobody yet; newsletter people add HANDLE")
