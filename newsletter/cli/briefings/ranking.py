"""`newsletter briefings rank`: which of what waits comes first in an issue."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.briefings.options import Id
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.issues import ranks


def register(app: typer.Typer) -> None:
    """Put the command under the noun."""
    app.command()(rank)


def rank(
    ctx: typer.Context,
    id: Id,
    score: Annotated[
        int | None, typer.Option(min=0, max=ranks.HIGHEST, help="How much it weighs; the highest comes first.")
    ] = None,
    place: Annotated[int | None, typer.Option(min=1, max=1000, help="Its place whatever it weighs.")] = None,
    lead: Annotated[bool, typer.Option("--lead", help="The first place.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take its score and its place away.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say where a briefing comes in the issues that are composed of what waits; without a rank the newest comes first.

    A place outweighs any score, and issues that are composed already stay as they are.
    """
    if lead and place is not None:
        raise UsageError("--lead is place 1; leave out --place, or --lead")
    wanted = 1 if lead else place
    if clear == (score is not None or wanted is not None):
        raise UsageError("say where it comes: --score 80, --place 2 or --lead; or take that away: --clear")
    with desk.of(ctx).acting(as_, Role.EDITOR) as act:
        if clear:
            found = ranks.clear(act.session, id, actor=act.who, now=act.now)
        else:
            found = ranks.set(act.session, id, score=score, place=wanted, actor=act.who, now=act.now)
    if as_json:
        output.emit({"briefing": id, **found.as_json()})
    else:
        output.say(f"{id}: {found}")
