"""`newsletter subscribers attributes`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.editorial.models import Role
from newsletter.words import counted
from subscribers import attributes
from subscribers.models import AttributeType

group = typer.Typer(help="Declare what the desk may know of a subscriber.", rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The attribute's name, such as plan.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the noun."""
    app.add_typer(group, name="attributes")


@group.command()
def add(
    ctx: typer.Context,
    name: Name,
    type: Annotated[AttributeType, typer.Option(help="What it holds.")] = AttributeType.STR,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Declare an attribute: its values are checked from then on, and segments can ask about it."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        attributes.add(act.session, name, type=type, description=description, now=act.now)
        act.record("added", "attribute", name, type=type.value)
    if as_json:
        output.emit({"attribute": name, "type": type, "description": description})
    else:
        output.say(f"{name} is declared: {type}")


@group.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the declared attributes and how many subscribers have each."""
    with desk.of(ctx).read() as session:
        found = attributes.all(session)
    if as_json:
        output.emit(found)
        return
    rows = [(each.name, each.type, each.subscribers, each.description) for each in found]
    empty = "No attributes yet; newsletter subscribers attributes add NAME --type str"
    output.table(("attribute", "type", "subscribers", "description"), rows, empty=empty)


@group.command()
def remove(
    ctx: typer.Context, name: Name, yes: desk.Yes = False, as_: desk.Actor = "", as_json: desk.Json = False
) -> None:
    """Take a declaration back, and forget everybody's value."""
    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        count = attributes.count(session, name)
        attributes.require_unused(session, name)
    output.ask(f"Forget {name}, which {counted(count, 'subscriber has', 'subscribers have')}?", yes=yes)
    with here.acting(as_, Role.ADMIN) as act:
        had = attributes.remove(act.session, name)
        act.record("removed", "attribute", name, subscribers=had)
    if as_json:
        output.emit({"attribute": name, "removed": True, "subscribers": had})
    else:
        output.say(f"{name} is gone; {counted(had, 'subscriber')} had it")
