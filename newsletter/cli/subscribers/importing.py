"""`newsletter subscribers import`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.subscribers.options import Lists
from subscribers import imports


def register(app: typer.Typer) -> None:
    """Add the commands to the noun."""
    app.command("import")(import_)


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
