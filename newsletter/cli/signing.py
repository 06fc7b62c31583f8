"""`newsletter issues clear` and `unfreeze`: the sign-off of a frozen issue, and the way back."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.delivery import schedules
from newsletter.editorial.models import Role
from newsletter.issues import clearing, issues


def register(app: typer.Typer) -> None:
    """Put the commands under the noun."""
    for command in (clear, unfreeze):
        app.command()(command)


def clear(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    note: Annotated[str, typer.Option("--note", help="What there is to say of it, for the record.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Sign a frozen issue off, as somebody who neither composed, edited nor froze it.

    With clearance = true in newsletter.toml nothing is sent without.
    """
    here = desk.of(ctx)
    here.may(as_, Role.EDITOR, Role.STANDARDS)
    here.look()
    with here.acting(as_, Role.EDITOR, Role.STANDARDS) as act:
        solo = here.settings.publication.solo
        made = clearing.clear(act.session, issue, solo=solo, note=note, actor=act.who, now=act.now)
        found = issues.get(act.session, issue)
    if as_json:
        output.emit({"issue": issue, "state": found.state, "cleared": made.as_json()})
    else:
        output.say(f"Issue {issue} is {made}. {issues.next_step(found)}")


def unfreeze(ctx: typer.Context, issue: desk.IssueNumber, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Let a frozen issue change again, as long as nobody was sent it; its clearance is void."""
    with desk.of(ctx).acting(as_, Role.EDITOR) as act:
        schedules.require_none(act.session, issue)
        clearing.unfreeze(act.session, issue, actor=act.who, now=act.now)
        found = issues.get(act.session, issue)
    if as_json:
        output.emit({"issue": issue, "state": found.state})
    else:
        output.say(f"Issue {issue} can change again: newsletter issues edit {issue}. {issues.next_step(found)}")
