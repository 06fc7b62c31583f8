"""`newsletter serve`."""

from typing import Annotated

import typer

from newsletter.cli import desk, shape
from newsletter.web import serve as server

app = shape.verb()


@app.command()
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=0, max=65535)] = 8025,
) -> None:
    """Answer the links in mail (unsubscribe, preferences, view online) until stopped with Ctrl-C."""
    server.serve(desk.of(ctx).settings, host=host, port=port)
