"""`newsletter init`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from newsletter import db, publication
from newsletter.cli import output, shape
from newsletter.settings import load

app = shape.verb()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it.")] = Path(),
    name: Annotated[str, typer.Option(help="The publication's name; else the folder's.")] = "",
    sender: Annotated[str, typer.Option("--from", help="Who the mail is from: NAME <ADDRESS>.")] = "",
    public_url: Annotated[str, typer.Option(help="The https address that links in mail begin with.")] = "",
    postal_address: Annotated[str, typer.Option(help="The address that stands in each mail.")] = "",
    relay: Annotated[str, typer.Option(metavar="HOST:PORT", help="The server that takes the mail.")] = "",
) -> None:
    """Scaffold a publication: settings, folders, the key behind its links, and its database."""
    publication.create(
        folder,
        name=name or folder.absolute().name.replace("-", " ").title(),
        url=public_url,
        postal_address=postal_address,
        sender=sender,
        relay=publication.relay_table(relay),
    )
    settings = load(folder, os.environ)
    db.upgrade(db.engine(settings))
    output.say(f"A publication stands in {folder.absolute()}; its settings are in newsletter.toml.")
    output.say(
        "Next: newsletter people add HANDLE (two of them), newsletter lists create NAME, newsletter briefings new ID."
    )
    output.say("What is still missing says: newsletter doctor")
