"""`newsletter subscribers import`."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from newsletter import audit, db
from newsletter.cli import desk, output
from newsletter.editorial.models import Role
from subscribers import imports, sources
from subscribers.imports import ImportResult, Request
from subscribers.joining import Mode
from subscribers.presets import PRESETS

Lists = Annotated[list[str] | None, typer.Option("--list", metavar="LIST", help="On which list; may be given again.")]
Basis = Annotated[str, typer.Option("--consent-basis", help="How the confirmed agreed, for the consent record.")]
Program = Annotated[str, typer.Option(metavar="PROGRAM", help=f"Whose export the file is: {', '.join(PRESETS)}.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is; =- leaves it out; may be given again."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the noun."""
    app.command("import")(import_)


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header, or JSON Lines; - reads from stdin.")],
    lists: Lists = None,
    basis: Basis = "",
    mode: Annotated[Mode, typer.Option(help="What the file does to people who are known.")] = Mode.UPDATE,
    preset: Program = "",
    columns: Columns = None,
    declare: Annotated[bool, typer.Option("--declare", help="Declare unknown columns as text attributes.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write the rejected rows here, as CSV.")] = None,
    format: Annotated[sources.Format | None, typer.Option(help="How it holds its records; else found out.")] = None,
    encoding: Annotated[str, typer.Option(help="Such as cp1252; else UTF-8, or UTF-16 with its mark.")] = "",
    delimiter: Annotated[str, typer.Option(help="What separates values; else found out.")] = "",
    quote: Annotated[str, typer.Option(help="What quotes values; empty for nothing.")] = '"',
    escape: Annotated[str, typer.Option(help="What escapes a quote; else it is doubled.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Begin a half-done import anew.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Import subscribers from a file: good rows are taken, bad ones named; suppression always wins.

    Killed or interrupted, the same command goes on where it was.
    """
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        who = act.who
    with _local(file) as path, output.progress("importing") as progress:
        request = Request(
            file=path, lists=lists or [], basis=basis, mode=mode, preset=preset, columns=columns or [], declare=declare,
            rejects=rejects, format=format, encoding=encoding,
            dialect=sources.Dialect(delimiter=delimiter, quote=quote, escape=escape),
        )  # fmt: skip
        result = imports.load(
            lambda: db.transaction(here.engine), request, keyring=here.keyring, actor=who, now=here.now,
            dry_run=dry_run, restart=restart, progress=progress,
            record=lambda session, result: _record(session, request, result, who, here),
        )  # fmt: skip
    if as_json:
        output.emit(result)
    else:
        _tell(result, dry_run=dry_run)


@contextmanager
def _local(file: Path) -> Iterator[Path]:
    """Yield a file that can be read twice: stdin is copied into one that goes away."""
    if str(file) != "-":
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="newsletter-import-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield path


def _record(session: Session, request: Request, result: ImportResult, who: str, here: desk.Desk) -> None:
    counts = {
        "rows": result.rows, "added": result.added, "updated": result.updated, "unchanged": result.unchanged,
        "rejected": result.rejected, "suppressed": result.suppressed, "kept_out": result.kept_out,
    }  # fmt: skip
    for name in request.lists or ["(named in the file)"]:
        audit.append(session, "imported", actor=who, kind="list", name=name, now=here.now, **counts)


def _tell(result: ImportResult, *, dry_run: bool) -> None:
    if result.resumed_at:
        output.note(f"went on after row {result.resumed_at}, where an import of this file had stopped")
    for reject in result.first_rejects:
        output.note(f"line {reject.line}: {reject.value[:100]!r}: {reject.reason}")
    if result.rejected > len(result.first_rejects):
        output.note(f"... and {result.rejected - len(result.first_rejects)} more; --rejects FILE writes all of them")
    output.say(
        f"{'Would be: ' if dry_run else ''}{result.added} added, {result.updated} updated, "
        f"{result.unchanged} unchanged, {result.rejected} rejected, {result.suppressed} suppressed, "
        f"{result.kept_out} stay unsubscribed"
    )
