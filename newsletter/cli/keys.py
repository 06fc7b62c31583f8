"""`newsletter keys`."""

import typer

from newsletter import publication
from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role

app = shape.noun("keys")


@app.command()
def rotate(ctx: typer.Context, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Sign the links in mail with a fresh key from now on; links that are out go on working by the older keys.

    A running `newsletter serve` takes it up by itself. Copy the file to every machine that sends or serves, first to
    those that serve, and keep a backup: without an old key, its links end.
    """
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        number = publication.rotate(here.settings)
        act.record("rotated", "keys", number)
    file = here.settings.keys.links
    if as_json:
        output.emit({"key": number, "file": file})
    else:
        output.say(f"Key {number} in {file} signs links from now on; the older keys stay for the links that are out")
