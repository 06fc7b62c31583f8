"""`newsletter suppressions`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from subscribers import suppressions
from subscribers.models import SuppressionReason

app = shape.noun("suppressions")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The address.")]


@app.command()
def add(
    ctx: typer.Context,
    email: Address,
    reason: Annotated[SuppressionReason, typer.Option(help="Why.")] = SuppressionReason.MANUAL,
    source: Annotated[str, typer.Option(help="Where this comes from.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Suppress an address: from now on nothing more goes there, a running send included."""
    here = desk.of(ctx)
    with here.write() as session:
        new = suppressions.add(
            session, email, reason=reason, source=source or f"by hand, {desk.actor(as_)}", now=here.now
        )
    if as_json:
        output.emit({"address": email, "reason": reason, "new": new})
    else:
        output.say(f"{email} is suppressed: {reason}" if new else f"{email} was suppressed already")


@app.command()
def remove(ctx: typer.Context, email: Address, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Lift a suppression; the record of it stays."""
    here = desk.of(ctx)
    with here.write() as session:
        suppressions.lift(session, email, by=desk.actor(as_), now=here.now)
    if as_json:
        output.emit({"address": email, "lifted": True})
    else:
        output.say(f"{email} may be mailed again, where it is subscribed")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the standing suppressions."""
    with desk.of(ctx).read() as session:
        found = suppressions.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(each.email, each.reason, each.source, each.at) for each in found]
        output.table(("address", "reason", "source", "since"), rows, empty="Nobody is suppressed")
