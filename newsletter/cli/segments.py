"""`newsletter segments`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from subscribers import segments

app = shape.noun("segments")

Name = Annotated[str, typer.Argument(help="The segment's name.")]


@app.command()
def create(
    ctx: typer.Context,
    name: Name,
    condition: Annotated[str, typer.Argument(help="Such as: country = 'DE' and topics has 'energy'")],
    as_json: desk.Json = False,
) -> None:
    """Name a condition."""
    here = desk.of(ctx)
    with here.write() as session:
        segments.create(session, name, condition, now=here.now)
        count = segments.count(session, name, now=here.now)
    if as_json:
        output.emit({"segment": name, "condition": condition, "subscribers": count})
    else:
        output.say(f"{name}: {count} subscribers match now")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the segments and how many match each now."""
    here = desk.of(ctx)
    with here.read() as session:
        found = [(each, segments.count(session, each.name, now=here.now)) for each in segments.all(session)]
    if as_json:
        output.emit([{"segment": each.name, "condition": each.condition, "subscribers": n} for each, n in found])
        return
    rows = [(each.name, count, each.condition) for each, count in found]
    output.table(("segment", "match", "condition"), rows, empty="No segments yet; newsletter segments create NAME ...")


@app.command()
def delete(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Forget a segment; subscribers stay as they are."""
    with desk.of(ctx).write() as session:
        segments.delete(session, name)
    if as_json:
        output.emit({"segment": name, "deleted": True})
    else:
        output.say(f"{name} is gone")
