"""`newsletter briefings spike`, `restore`, `correct`, `kill`: decisions besides the yes, each with its reason."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.briefings.options import Id, standing_json
from newsletter.editorial import decisions, standings
from newsletter.editorial.briefings import Standing
from newsletter.editorial.models import Role
from newsletter.issues import corrections

Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]
Wrong = Annotated[str, typer.Option("--reason", help="What was wrong, in the words that readers get.")]
Right = Annotated[str, typer.Option("--right", help="What is right, in the words that readers get.")]


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


def correct(
    ctx: typer.Context, id: Id, reason: Wrong, right: Right = "", as_: desk.Actor = "", as_json: desk.Json = False
) -> None:
    """Record that a briefing which readers have was wrong, and draft the correction; its text stays as it was.

    The same as newsletter corrections draft ID --wrong REASON.
    """
    with desk.of(ctx).acting(as_, Role.STANDARDS) as act:
        made = corrections.draft(act.session, id, wrong=reason, right=right, actor=act.who, now=act.now)
        standing = standings.get(act.session, id)
    if as_json:
        output.emit({**standing_json(standing), "correction": made.id})
    else:
        output.say(f"{id} is {standing.state}; correction {made.id} is drafted. {corrections.next_step(made)}")


def kill(ctx: typer.Context, id: Id, reason: Reason, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Withdraw a briefing that readers have; no issue takes it any more. An issue on its way is not stopped by it."""
    with desk.of(ctx).acting(as_, Role.STANDARDS) as act:
        standing = decisions.kill(act.session, id, reason=reason, actor=act.who, now=act.now)
    tell = f"tell its readers: newsletter corrections draft {id} --kind kill --wrong WHY"
    _tell(standing, f"stop an issue that still goes out with it: newsletter pause ISSUE; {tell}", as_json=as_json)


def _tell(standing: Standing, next: str, *, as_json: bool) -> None:
    if as_json:
        output.emit(standing_json(standing))
    else:
        output.say(f"{standing.id} is {standing.state}; {next}")
