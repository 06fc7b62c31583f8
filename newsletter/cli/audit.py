"""`newsletter audit`."""

import typer

from newsletter import audit
from newsletter.cli import desk, output, shape

app = shape.noun("audit")


@app.command()
def verify(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Recompute the chain of the record; exits 1 at the first entry that does not fit."""
    with desk.of(ctx).read() as session:
        count = audit.verify(session)
    if as_json:
        output.emit({"entries": count, "intact": True})
    else:
        output.say(f"{count} entries, and each fits the one before it")
