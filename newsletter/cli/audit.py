"""`newsletter audit`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter import audit, dossier
from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.words import counted

app = shape.noun("audit")


@app.command()
def verify(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Verify an export in its place; it needs no database.")
    ] = None,
    as_json: desk.Json = False,
) -> None:
    """Recompute the chain of the record, or an export's hashes; exits 1 at the first thing that does not fit."""
    if folder is not None:
        _folder(folder, as_json=as_json)
        return
    with desk.of(ctx).read() as session:
        count = audit.verify(session)
    if as_json:
        output.emit({"entries": count, "intact": True})
    else:
        output.say(f"{counted(count, 'entry', 'entries')}, and each fits the one before it")


def _folder(folder: Path, *, as_json: bool) -> None:
    found = dossier.verify(folder)
    if as_json:
        output.emit({
            "files": found.files, "entries": found.entries, "chain": found.chain, "manifest": found.sha256,
            "intact": True, **found.about,
        })  # fmt: skip
        return
    files, entries = counted(found.files, "file"), counted(found.entries, "entry", "entries")
    output.say(f"{files} as exported, {entries} in a chain of {found.chain:,}")
    output.say(f"The manifest is {found.sha256}; the desk's record has it under the export")


@app.command()
def export(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A new folder.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Write who reviewed an issue, what it said and what the record has of it into a folder for strangers.

    Texts as approved with every revision, approvals, the gate's reports, waivers, the rendering, corrections, counts of
    deliveries without addresses, and hashes of it all. The folder verifies itself: newsletter audit verify --folder DIR
    """
    from newsletter.delivery import dossiers

    here = desk.of(ctx)
    with here.acting(as_, Role.STANDARDS, Role.EDITOR, Role.ADMIN) as act:
        made = dossiers.export(act.session, issue, to, here.settings, actor=act.who, now=act.now)
    if as_json:
        output.emit(made)
    else:
        output.say(f"Issue {issue} is in {to}: {made['files']} files; open {to / 'index.html'}")
        output.say(f"The manifest is {made['manifest']}, which the record has too")
