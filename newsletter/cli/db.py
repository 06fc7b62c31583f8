"""`newsletter db`."""

import typer

from newsletter import db
from newsletter.cli import desk, output, shape
from newsletter.errors import DatabaseError

app = shape.noun("db")


@app.command()
def upgrade(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Bring the database to this program's version; all of it or nothing."""
    engine = db.engine(desk.of(ctx).settings)
    before, after = db.upgrade(engine)
    if as_json:
        output.emit({"database": db.shown(engine), "before": before, "after": after})
    else:
        output.say(f"{db.shown(engine)}: {'already at' if before == after else 'now at'} version {after}")


@app.command()
def check(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Compare the database's tables with this program's; exits 1 on a difference."""
    engine = desk.of(ctx).engine
    found = db.differences(engine)
    if as_json:
        output.emit({"database": db.shown(engine), "version": db.VERSIONS[-1], "differences": found})
    elif not found:
        output.say(f"{db.shown(engine)}: version {db.VERSIONS[-1]}, every table as it should be")
    if found:
        raise DatabaseError("the tables differ from this program's: " + "; ".join(found) + "; compare with a backup")
