"""`newsletter schedule`."""

from collections.abc import Sequence

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import recurring, schedules
from newsletter.delivery.recurring import Coming
from newsletter.editorial.models import Role

app = shape.noun("schedule")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the issues that begin by themselves, then those that recur, the first to come first."""
    here = desk.of(ctx)
    with here.read() as session:
        found, coming = schedules.all(session), recurring.coming(session, here.settings, now=here.now)
    if as_json:
        output.emit([*(each.as_json() for each in found), *(each.as_json() for each in coming)])
        return
    rows = [
        (each.issue, each.local, each.at, each.audience, "missed" if each.missed else "waits", each.actor)
        for each in found
    ]
    empty = "Nothing begins by itself; newsletter send ISSUE --list LIST --at TIME"
    output.table(("issue", "begins", "UTC", "audience", "state", "by"), rows, empty=empty)
    for each in found:
        if each.missed:
            output.say(f"Issue {each.issue} {each}")
    if coming:
        _recurring(coming)


def _recurring(coming: Sequence[Coming]) -> None:
    rows = [
        (each.recurring.name, each.recurring.every, each.recurring.list, each.local, each.recurring.then)
        for each in coming
    ]
    output.table(("recurs", "every", "list", "next", "then"), rows, empty="")
    for each in coming:
        if each.last:
            output.say(str(each.last))


@app.command()
def run(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Compose and freeze the recurring issues whose time has come, as newsletter deliver does, and send nothing."""
    here = desk.of(ctx)
    here.look()
    made = recurring.run(here.engine, here.settings, keyring=here.keyring, now=here.now)
    if as_json:
        output.emit([each.as_json() for each in made])
        return
    for each in made:
        output.say(str(each))
    if not made:
        output.say("No recurring issue is due; see when: newsletter schedule list")


@app.command()
def remove(ctx: typer.Context, issue: desk.IssueNumber, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Take the time of an issue away; it stays frozen, and can be sent or given another time."""
    with desk.of(ctx).acting(as_, Role.SENDER) as act:
        found = schedules.remove(act.session, issue, actor=act.who, now=act.now)
    if as_json:
        output.emit(found.as_json())
    else:
        output.say(f"Issue {issue} does not begin {found.local} any more; send it: newsletter send {issue} --list LIST")
