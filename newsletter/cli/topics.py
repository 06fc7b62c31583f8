"""`newsletter topics`."""

import typer

from newsletter.cli import desk, output, shape
from subscribers import topics

app = shape.noun("topics")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the topics and how many chose each."""
    with desk.of(ctx).read() as session:
        found = topics.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(each.name, each.subscribers) for each in found]
        output.table(("topic", "subscribers"), rows, empty="No topics yet; they come with imports and preferences")
