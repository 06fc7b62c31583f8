"""`newsletter feeds`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.discovery import feeds
from newsletter.editorial.models import Role
from newsletter.errors import BadInput

app = shape.noun("feeds")


@app.command()
def read(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A saved RSS or Atom document.")],
    url: Annotated[str, typer.Option(help="The feed's address: it is the same feed when it is read again.")],
    name: Annotated[str, typer.Option(help="What the desk calls it; else the feed's own title.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Read a feed's document into the inbox; entries that are known already change nothing."""
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        result = feeds.read(act.session, _document(file), url=url, name=name, now=act.now)
        act.record("read", "feed", result.feed[:120], found=result.found, new=result.new)
    if as_json:
        output.emit(result)
    else:
        output.say(f"{result.feed}: {result.found} entries, {result.new} new; see them: newsletter inbox")


def _document(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}; name a saved feed") from error


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the feeds."""
    with desk.of(ctx).read() as session:
        found = feeds.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(each.name, each.url, each.items, each.read_at) for each in found]
        output.table(
            ("feed", "address", "items", "read"), rows, empty="No feeds yet; newsletter feeds read FILE --url URL"
        )
