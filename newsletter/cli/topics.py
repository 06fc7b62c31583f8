"""`newsletter topics`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.words import counted
from subscribers import topics

app = shape.noun("topics")

Name = Annotated[str, typer.Argument(metavar="TOPIC", help="The word that briefings carry.")]
Title = Annotated[str, typer.Option(help="What readers call it; else its name.")]


@app.command()
def add(ctx: typer.Context, name: Name, title: Title = "", as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Offer a topic before anybody chose it."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        made = topics.add(act.session, name, title=title)
        act.record("added", "topic", made.name, title=made.title)
    if as_json:
        output.emit(made)
    else:
        output.say(f"Readers may choose {made.name} now")


@app.command()
def edit(ctx: typer.Context, name: Name, title: Title = "", as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Give a topic another title."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        changed = topics.edit(act.session, name, title=title)
        act.record("changed", "topic", changed.name, title=changed.title)
    if as_json:
        output.emit(changed)
    else:
        output.say(f"{changed.name} is called {changed.title}")


@app.command()
def remove(
    ctx: typer.Context, name: Name, yes: desk.Yes = False, as_: desk.Actor = "", as_json: desk.Json = False
) -> None:
    """Delete a topic, and everybody's choice of it."""
    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        found = topics.get(session, name)
    output.ask(f"Delete the topic {found.name}, which {counted(found.subscribers, 'subscriber')} chose?", yes=yes)
    with here.acting(as_, Role.ADMIN) as act:
        had = topics.remove(act.session, name)
        act.record("removed", "topic", found.name, subscribers=had)
    if as_json:
        output.emit({"topic": found.name, "removed": True, "subscribers": had})
    else:
        output.say(f"{found.name} is gone; {counted(had, 'subscriber')} had chosen it")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the topics and how many chose each."""
    with desk.of(ctx).read() as session:
        found = topics.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(each.name, each.title, each.subscribers) for each in found]
        output.table(("topic", "title", "subscribers"), rows, empty="No topics yet; newsletter topics add TOPIC")
