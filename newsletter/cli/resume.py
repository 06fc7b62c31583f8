"""`newsletter resume`."""

import typer

from newsletter.cli import desk, output, send, shape
from newsletter.delivery import controls, rounds
from newsletter.editorial.models import Role

app = shape.verb()


@app.command()
def resume(ctx: typer.Context, issue: desk.IssueNumber, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Take back a pause, and go on sending where the issue stopped. Exits 4 while readers still wait for theirs."""
    here = desk.of(ctx)
    with here.acting(as_, Role.SENDER) as act:
        stopped = controls.resume(act.session, issue, actor=act.who, now=act.now)
        order = rounds.onward(act.session, issue)
    if stopped:
        send.proceed(here, issue, act.who, order, as_json=as_json)
    elif as_json:
        output.emit({"issue": issue, "state": "sending"})
    else:
        output.say(f"Issue {issue} is being sent and goes on; watch it: newsletter status {issue}")
