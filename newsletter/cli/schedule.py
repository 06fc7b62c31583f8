"""`newsletter schedule`."""

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import schedules
from newsletter.editorial.models import Role

app = shape.noun("schedule")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the issues that begin by themselves, the first to come first."""
    with desk.of(ctx).read() as session:
        found = schedules.all(session)
    if as_json:
        output.emit([each.as_json() for each in found])
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


@app.command()
def remove(ctx: typer.Context, issue: desk.IssueNumber, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Take the time of an issue away; it stays frozen, and can be sent or given another time."""
    with desk.of(ctx).acting(as_, Role.SENDER) as act:
        found = schedules.remove(act.session, issue, actor=act.who, now=act.now)
    if as_json:
        output.emit(found.as_json())
    else:
        output.say(f"Issue {issue} does not begin {found.local} any more; send it: newsletter send {issue} --list LIST")
