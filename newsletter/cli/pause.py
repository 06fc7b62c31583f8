"""`newsletter pause`."""

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import controls
from newsletter.editorial.models import Role

app = shape.verb()


@app.command()
def pause(ctx: typer.Context, issue: desk.IssueNumber, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Stop an issue that is on its way, until somebody resumes it; whoever still waits gets it then.

    A sender that runs stops within a second, when the messages that are on the wire have their replies.
    """
    with desk.of(ctx).acting(as_, Role.SENDER, Role.EDITOR) as act:
        at_once = controls.pause(act.session, issue, actor=act.who, now=act.now)
    if as_json:
        output.emit({"issue": issue, "state": "paused" if at_once else "sending", "asked": not at_once})
    elif at_once:
        output.say(f"Issue {issue} is paused; go on: newsletter resume {issue}")
    else:
        output.say(f"The sender of issue {issue} is asked to stop; see that it did: newsletter status {issue}")
