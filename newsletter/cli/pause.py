"""`newsletter pause`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import controls
from newsletter.editorial.models import Role

app = shape.verb()

Patience = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long to wait until a sender that runs has stopped.", min=0)
]


@app.command()
def pause(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    wait: Patience = 10,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Stop an issue that is on its way, until somebody resumes it; whoever still waits gets it then.

    A sender that runs stops within a second, when the messages that are on the wire have their replies.
    """
    here = desk.of(ctx)
    who = here.may(as_, Role.SENDER, Role.EDITOR)
    done = controls.pause_soon(here.engine, issue, patience=wait, actor=who, clock=lambda: here.now)
    if as_json:
        output.emit({"issue": issue, "state": "paused" if done else "sending", "asked": not done})
    elif done:
        output.say(f"Issue {issue} is paused; go on: newsletter resume {issue}")
    else:
        output.say(f"The sender of issue {issue} is asked to stop; see that it did: newsletter status {issue}")
