"""`newsletter suppressions`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from subscribers import suppressions
from subscribers.models import SuppressionReason

app = shape.noun("suppressions")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The address.")]
On = Annotated[str, typer.Option("--list", metavar="LIST", help="Only on this list; else everywhere.")]


@app.command()
def add(
    ctx: typer.Context,
    email: Address,
    reason: Annotated[SuppressionReason, typer.Option(help="Why.")] = SuppressionReason.MANUAL,
    source: Annotated[str, typer.Option(help="Where this comes from.")] = "",
    on: On = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Suppress an address: from now on nothing more goes there, a running send included."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        new = suppressions.add(
            act.session, email, reason=reason, source=source or f"by hand, {act.who}", list=on, now=act.now
        )
        act.record("suppressed", "address", "-", reason=reason, list=on, new=new)
    if as_json:
        output.emit({"address": email, "list": on, "reason": reason, "new": new})
    else:
        where = f" on {on}" if on else ""
        output.say(f"{email} is suppressed{where}: {reason}" if new else f"{email} was suppressed{where} already")


@app.command()
def remove(ctx: typer.Context, email: Address, on: On = "", as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Lift a suppression; the record of it stays."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        suppressions.lift(act.session, email, list=on, by=act.who, now=act.now)
        act.record("lifted a suppression", "address", "-", list=on)
    if as_json:
        output.emit({"address": email, "list": on, "lifted": True})
    else:
        output.say(f"{email} may be mailed again{f' on {on}' if on else ''}, where it is subscribed")


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=desk.LARGEST)] = 1000,
    after: Annotated[int, typer.Option(help="Go on after this number.", min=0, max=desk.LARGEST)] = 0,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """List the standing suppressions in the order they came."""
    with desk.of(ctx).seeing(as_, Role.ADMIN) as session:
        found = suppressions.all(session, limit=limit, after=after)
    if as_json:
        output.emit(found)
        return
    rows = [(each.id, each.email, each.list or "(everywhere)", each.reason, each.source, each.at) for each in found]
    output.table(("no", "address", "list", "reason", "source", "since"), rows, empty="Nobody is suppressed")
    if len(found) == limit:
        output.note(f"more: newsletter suppressions list --after {found[-1].id}")
