"""`newsletter segments`."""

import time
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
def show(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Show a segment's condition."""
    with desk.of(ctx).read() as session:
        found = segments.get(session, name)
    if as_json:
        output.emit({"segment": found.name, "condition": found.condition, "created_at": found.created_at})
    else:
        output.say(f"{found.name}, since {found.created_at:%Y-%m-%d}: {found.condition}")


@app.command("test")
def test_(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Say how many match a segment now, how long that took, and who are the first ten."""
    here = desk.of(ctx)
    with here.read() as session:
        begun = time.perf_counter()
        count = segments.count(session, name, now=here.now)
        seconds = time.perf_counter() - begun
        sample = segments.sample(session, name, now=here.now)
    if as_json:
        output.emit({"segment": name, "subscribers": count, "seconds": round(seconds, 4), "sample": sample})
    else:
        output.say(f"{name}: {count} subscribers match now, found in {seconds * 1000:.0f} ms")
        output.table(("for example",), [(address,) for address in sample], empty="Nobody")


@app.command()
def explain(
    ctx: typer.Context,
    name: Name,
    email: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person.")],
    as_json: desk.Json = False,
) -> None:
    """Say for one person which part of a segment holds and which does not."""
    here = desk.of(ctx)
    with here.read() as session:
        parts = segments.explain(session, name, email, now=here.now)
    matches = all(part.holds for part in parts)
    if as_json:
        output.emit({"segment": name, "subscriber": email, "matches": matches, "parts": parts})
    else:
        output.say(f"{email} is {'in' if matches else 'not in'} {name}")
        output.table(("holds", "part"), [("yes" if each.holds else "no", each.condition) for each in parts], empty="")


@app.command()
def delete(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Forget a segment; subscribers stay as they are."""
    with desk.of(ctx).write() as session:
        segments.delete(session, name)
    if as_json:
        output.emit({"segment": name, "deleted": True})
    else:
        output.say(f"{name} is gone")
