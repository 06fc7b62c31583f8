"""`newsletter subscribers export`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.editorial.models import Role
from newsletter.errors import Refused
from newsletter.words import counted
from subscribers import exports
from subscribers.exports import Chosen
from subscribers.sources import Format


def register(app: typer.Typer) -> None:
    """Add the command to the noun."""
    app.command("export")(export)


def export(
    ctx: typer.Context,
    list_: Annotated[str, typer.Option("--list", metavar="LIST", help="Only who was ever on this list.")] = "",
    segment: Annotated[str, typer.Option(metavar="SEGMENT", help="Only who matches this segment.")] = "",
    format: Annotated[Format, typer.Option(help="For spreadsheets, or for programs.")] = Format.CSV,
    file: Annotated[Path, typer.Option("--output", metavar="FILE", help="Where to; - is stdout.")] = Path("-"),
    as_: desk.Actor = "",
) -> None:
    """Export all that is known of subscribers, as a file that imports to the same again."""
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        chosen = exports.choose(act.session, list=list_, segment=segment, now=act.now)
        detail = {"segment": segment, "format": format.value, "subscribers": chosen.subscribers}
        act.record("exported", "subscribers", list_ or "all", **detail)
    if str(file) == "-":
        _print(here, chosen, format)
    else:
        _write(here, chosen, format, file)
        output.say(f"{counted(chosen.subscribers, 'subscriber is', 'subscribers are')} in {file}")


def _print(here: desk.Desk, chosen: Chosen, format: Format) -> None:
    with here.read() as session:
        for piece in exports.lines(session, chosen, format=format):
            output.write(piece)


def _write(here: desk.Desk, chosen: Chosen, format: Format, file: Path) -> None:
    """Write the file beside its place, readable by its owner only, and put it there when it is whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as to:
            with here.read() as session, output.progress("exporting") as progress:
                for done, piece in enumerate(exports.lines(session, chosen, format=format)):
                    to.write(piece)
                    progress(min(done * exports.PAGE, chosen.subscribers), chosen.subscribers)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Refused(f"{file} cannot be written: {error.strerror}; name another: --output FILE") from error
