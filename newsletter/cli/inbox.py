"""`newsletter inbox`."""

import typer

from newsletter.cli import desk, output
from newsletter.discovery import inbox
from newsletter.discovery.models import ItemState

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)

#: The states of items that still wait for an editor.
WAITING = (ItemState.NEW, ItemState.SHORTLISTED, ItemState.CLAIMED)


@app.callback()
def root(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """See the source items that wait for an editor, the newest first."""
    if ctx.invoked_subcommand is None:
        list_(ctx, as_json)


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the source items that wait for an editor, the newest first."""
    with desk.of(ctx).read() as session:
        found = inbox.all(session, states=WAITING)
    if as_json:
        output.emit(found)
    else:
        rows = [(each.id, each.state, each.title, each.feed, each.published) for each in found]
        output.table(("no", "state", "title", "feed", "published"), rows, empty="The inbox is empty")
