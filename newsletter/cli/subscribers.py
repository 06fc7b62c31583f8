"""`newsletter subscribers`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from subscribers import imports, subscribers

app = shape.noun("subscribers")

Lists = Annotated[list[str], typer.Option("--list", metavar="LIST", help="On which list; may be given again.")]


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


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV with a header; only `email` must be there.")],
    lists: Lists,
    basis: Annotated[str, typer.Option("--consent-basis", help="How these people agreed, for the consent record.")],
    rejects: Annotated[Path | None, typer.Option(help="Write the rejected rows here, as CSV.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    as_json: desk.Json = False,
) -> None:
    """Import subscribers from a CSV file: good rows are taken, bad ones named; suppression always wins."""
    here = desk.of(ctx)
    with output.progress("importing") as progress, here.write() as session:
        result = imports.load(
            session, file, lists=lists, basis=basis, keyring=here.keyring, now=here.now, dry_run=dry_run,
            progress=lambda rows: progress(rows, None),
        )  # fmt: skip
        if rejects is not None and result.rejected:
            imports.write_rejects(rejects, result.rejected)
    if as_json:
        output.emit(result)
        return
    for reject in result.rejected[:20]:
        output.note(f"line {reject.line}: {reject.value!r}: {reject.reason}")
    if len(result.rejected) > 20:
        output.note(f"... and {len(result.rejected) - 20} more; --rejects FILE writes all of them")
    output.say(
        f"{'Would be: ' if dry_run else ''}{result.added} added, {result.updated} updated, "
        f"{result.unchanged} unchanged, {len(result.rejected)} rejected, {result.suppressed} suppressed, "
        f"{result.kept_out} stay unsubscribed"
    )


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
