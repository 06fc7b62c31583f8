"""`newsletter lists`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from subscribers import lists
from subscribers.models import OptIn

app = shape.noun("lists")

Name = Annotated[str, typer.Argument(metavar="LIST", help="The list's name.")]
Identifier = "What stands in the List-Id of its mail, such as weekly.news.example.com; else the name and your domain."


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The stable word in commands and in the List-Id: a-z, 0-9, hyphen.")],
    title: Annotated[str, typer.Option(help="What readers call it; else the name.")] = "",
    description: Annotated[str, typer.Option(help="What readers get from it.")] = "",
    list_id: Annotated[str, typer.Option(help=Identifier)] = "",
    opt_in: Annotated[OptIn, typer.Option(help="What a newcomer must do.")] = OptIn.DOUBLE,
    private: Annotated[bool, typer.Option("--private", help="Not offered on pages.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Make a list."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        made = lists.create(
            act.session, name, title=title, description=description, identifier=list_id, opt_in=opt_in,
            public=not private, now=act.now,
        )  # fmt: skip
        act.record("created", "list", name, title=made.title, opt_in=made.opt_in, public=made.public)
    if as_json:
        output.emit(made)
    else:
        output.say(f"The list {made.name} stands; fill it: newsletter subscribers import FILE --list {made.name}")


@app.command()
def edit(
    ctx: typer.Context,
    name: Name,
    title: Annotated[str | None, typer.Option(help="What readers call it.")] = None,
    description: Annotated[str | None, typer.Option(help="What readers get from it.")] = None,
    list_id: Annotated[str | None, typer.Option(help=Identifier)] = None,
    opt_in: Annotated[OptIn | None, typer.Option(help="What a newcomer must do.")] = None,
    public: Annotated[bool | None, typer.Option("--public/--private", help="Whether pages offer it.")] = None,
    track_clicks: Annotated[
        bool | None, typer.Option(help="Whether it is counted which links of its mail are followed.")
    ] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Change what is given of a list; its name stays."""
    given = {
        "title": title, "description": description, "identifier": list_id, "opt_in": opt_in, "public": public,
        "track_clicks": track_clicks,
    }  # fmt: skip
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise UsageError(f"say what is to be different, such as: newsletter lists edit {name} --title TITLE")
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        changed = lists.edit(
            act.session, name, title=title, description=description, identifier=list_id, opt_in=opt_in, public=public,
            track_clicks=track_clicks,
        )  # fmt: skip
        act.record("changed", "list", name, **changes)
    if as_json:
        output.emit(changed)
    else:
        _show(changed)


@app.command()
def remove(ctx: typer.Context, name: Name, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Delete a list that nobody was ever on."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        lists.remove(act.session, name)
        act.record("removed", "list", name)
    if as_json:
        output.emit({"list": name, "removed": True})
    else:
        output.say(f"{name} is gone")


@app.command()
def show(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Show one list: its words, its rules, its counts."""
    with desk.of(ctx).read() as session:
        found = lists.get(session, name)
    if as_json:
        output.emit(found)
    else:
        _show(found)


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the lists with their counts."""
    with desk.of(ctx).read() as session:
        found = lists.all(session)
    if as_json:
        output.emit(found)
        return
    rows = [
        (each.name, each.title, f"{each.opt_in} opt-in", "public" if each.public else "private", each.confirmed,
         each.pending, each.unsubscribed)
        for each in found
    ]  # fmt: skip
    columns = ("list", "title", "joining", "pages", "confirmed", "pending", "unsubscribed")
    output.table(columns, rows, empty="No lists yet; newsletter lists create NAME")


def _show(found: lists.ListView) -> None:
    output.say(f"{found.name}: {found.title}")
    if found.description:
        output.say(found.description)
    output.say(f"{found.opt_in} opt-in, {'offered on pages' if found.public else 'private'}")
    output.say(f"Clicks are {'counted' if found.track_clicks else 'not counted'}")
    output.say(f"List-Id: {found.identifier or f'{found.name} and the domain of the sender'}")
    output.say(f"{found.confirmed} confirmed, {found.pending} pending, {found.unsubscribed} unsubscribed")
