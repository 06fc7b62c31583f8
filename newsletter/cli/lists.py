"""`newsletter lists`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from subscribers import lists
from subscribers.models import OptIn

app = shape.noun("lists")


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The stable word in commands and in the List-Id: a-z, 0-9, hyphen.")],
    title: Annotated[str, typer.Option(help="What readers call it; else the name.")] = "",
    description: Annotated[str, typer.Option(help="What readers get from it.")] = "",
    opt_in: Annotated[OptIn, typer.Option(help="What a newcomer must do.")] = OptIn.DOUBLE,
    private: Annotated[bool, typer.Option("--private", help="Not offered on pages.")] = False,
    as_json: desk.Json = False,
) -> None:
    """Make a list."""
    here = desk.of(ctx)
    with here.write() as session:
        made = lists.create(
            session, name, title=title, description=description, opt_in=opt_in, public=not private, now=here.now
        )
    if as_json:
        output.emit(made)
    else:
        output.say(f"The list {made.name} stands; fill it: newsletter subscribers import FILE --list {made.name}")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the lists with their counts."""
    with desk.of(ctx).read() as session:
        found = lists.all(session)
    if as_json:
        output.emit(found)
        return
    rows = [(each.name, each.title, each.confirmed, each.pending, each.unsubscribed) for each in found]
    columns = ("list", "title", "confirmed", "pending", "unsubscribed")
    output.table(columns, rows, empty="No lists yet; newsletter lists create NAME")
