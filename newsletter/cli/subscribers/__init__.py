"""`newsletter subscribers`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.cli.subscribers import importing
from newsletter.cli.subscribers.options import Lists
from subscribers import subscribers

app = shape.noun("subscribers")
importing.register(app)


@app.command()
def add(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address.")],
    lists: Lists,
    basis: Annotated[
        str, typer.Option("--consent-basis", help="How they agreed, for the consent record.")
    ] = "added by hand",
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="What they read about; may be given again.")] = None,
    country: Annotated[str, typer.Option(help="Two letters, such as DE.")] = "",
    language: Annotated[str, typer.Option(help="Such as en or de.")] = "",
    audience: Annotated[str, typer.Option(help="Their role, such as chip-buyers.")] = "",
    resubscribe: Annotated[bool, typer.Option("--resubscribe", help="They left before, and asked to return.")] = False,
    as_json: desk.Json = False,
) -> None:
    """Add one person who agreed to be mailed."""
    here = desk.of(ctx)
    with here.write() as session:
        added = subscribers.add(
            session, email, lists=lists, topics=topic or [], name=name, country=country, language=language,
            audience=audience, basis=basis, resubscribe=resubscribe, keyring=here.keyring, now=here.now,
        )  # fmt: skip
    if as_json:
        output.emit(added)
    else:
        output.say(f"{added.email} is on {', '.join(lists)}")


@app.command("list")
def list_(
    ctx: typer.Context,
    on: Annotated[str, typer.Option("--list", metavar="LIST", help="Only this list.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=desk.LARGEST)] = 50,
    after: Annotated[int, typer.Option(help="Go on after this number.", min=0, max=desk.LARGEST)] = 0,
    as_json: desk.Json = False,
) -> None:
    """List subscribers in the order they came."""
    with desk.of(ctx).read() as session:
        found = subscribers.all(session, list=on or None, limit=limit, after=after)
    if as_json:
        output.emit(found)
        return
    rows = [
        (each.id, each.email, each.name, [f"{name}: {state}" for name, state in each.subscriptions.items()],
         each.topics, each.suppressed)
        for each in found
    ]  # fmt: skip
    output.table(("no", "address", "name", "lists", "topics", "suppressed"), rows, empty="No subscribers here yet")
    if len(found) == limit:
        output.note(f"more: newsletter subscribers list --after {found[-1].id}")
