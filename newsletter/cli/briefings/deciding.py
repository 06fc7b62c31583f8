"""`newsletter briefings spike`, `restore`, `correct`, `kill`: decisions besides the yes, each with its reason."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.briefings.options import Id, standing_json
from newsletter.editorial import decisions
from newsletter.editorial.briefings import Standing
from newsletter.editorial.models import Role

Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
Wrong = Annotated[str, typer.Option("--reason", help="What was wrong; readers see it on the pages.")]


def register(app: typer.Typer) -> None:
    """Put the commands under the noun."""
    for command in (spike, restore, correct, kill):
        app.command()(command)


def spike(ctx: typer.Context, id: Id, reason: Reason, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Put a briefing aside that was not sent; an issue that holds it cannot go out."""
    with desk.of(ctx).acting(as_, Role.EDITOR, Role.STANDARDS) as act:
        standing = decisions.spike(act.session, id, reason=reason, actor=act.who, now=act.now)
    _tell(standing, f"take it up again: newsletter briefings restore {id}", as_json=as_json)


def restore(ctx: typer.Context, id: Id, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Take a briefing up again that was put aside, as a draft."""
    with desk.of(ctx).acting(as_, Role.EDITOR, Role.STANDARDS) as act:
        standing = decisions.restore(act.session, id, actor=act.who, now=act.now)
    _tell(standing, f"hand it over: newsletter briefings submit {id}", as_json=as_json)


def correct(ctx: typer.Context, id: Id, reason: Wrong, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Record that a briefing which readers have was wrong, and in what; its text stays what they were given."""
    with desk.of(ctx).acting(as_, Role.STANDARDS) as act:
        standing = decisions.correct(act.session, id, reason=reason, actor=act.who, now=act.now)
    _tell(standing, "tell its readers in a briefing of its own: newsletter briefings new ID", as_json=as_json)


def kill(ctx: typer.Context, id: Id, reason: Reason, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Withdraw a briefing that readers have; no issue takes it any more. An issue on its way is not stopped by it."""
    with desk.of(ctx).acting(as_, Role.STANDARDS) as act:
        standing = decisions.kill(act.session, id, reason=reason, actor=act.who, now=act.now)
    _tell(standing, "stop an issue that still goes out with it: newsletter pause ISSUE", as_json=as_json)


def _tell(standing: Standing, next: str, *, as_json: bool) -> None:
    if as_json:
        output.emit(standing_json(standing))
    else:
        output.say(f"{standing.id} is {standing.state}; {next}")
