"""`newsletter webhooks`."""

import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from newsletter import hooks
from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.errors import Refused
from newsletter.feedback import webhooks
from newsletter.words import counted
from subscribers.models import NoticeState

app = shape.noun("webhooks")


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[NoticeState | None, typer.Option(help="Only notices in this state.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=10_000)] = 100,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """List the receivers, and the newest notices with what became of them."""
    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        found = webhooks.all(session, state=state, limit=limit)
    receivers = [{"name": each.name, "url": each.url, "events": list(each.events)} for each in here.settings.webhook]
    if as_json:
        output.emit({"receivers": receivers, "notices": found})
        return
    rows = [(each.name, each.url, list(each.events)) for each in here.settings.webhook]
    output.table(("receiver", "url", "is told of"), rows, empty="No [[webhook]] stands in newsletter.toml")
    told = [(n.id, n.receiver, n.fact, n.state, n.at, n.attempts, n.answer) for n in found]
    if told:
        output.table(("no", "receiver", "fact", "state", "when", "attempts", "answer"), told, empty="")


@app.command()
def test(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RECEIVER", help="The receiver's name.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Tell a receiver that this is a test, now, and say what it answers."""
    here = desk.of(ctx)
    here.may(as_, Role.ADMIN)
    answer = webhooks.test(here.settings, name, now=here.now)
    if as_json:
        output.emit({"receiver": name, "status": answer.status, "taken": answer.taken, "said": answer.said})
    elif answer.taken:
        output.say(f"{name} took it ({answer.said})")
    if not answer.taken:
        raise Refused(f"{name} did not take it: {answer.said}")


@app.command()
def redeliver(
    ctx: typer.Context,
    notices: Annotated[
        list[int] | None, typer.Argument(metavar="NOTICE", help="The notices' numbers; else all that were given up.")
    ] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Tell notices anew: those that are named, else those that were given up."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        count = webhooks.redeliver(act.session, notices or [], now=act.now)
        act.record("redelivered", "webhook", "-", notices=count)
    if as_json:
        output.emit({"waiting": count})
    else:
        waiting = counted(count, "notice waits", "notices wait")
        output.say(f"{waiting} to be told; newsletter serve or newsletter deliver does it")


@app.command()
def keygen(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to keep the secret, such as keys/shop.secret.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Make the secret that a receiver knows us by, in a file that is not there yet."""
    here = desk.of(ctx)
    here.may(as_, Role.ADMIN)
    path = here.settings.folder / file
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}; name another file") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(f"{hooks.PREFIX}{b64encode(secrets.token_bytes(32)).decode()}\n")
    if as_json:
        output.emit({"file": str(file)})
    else:
        output.say(
            f'A secret is in {path}; name it in [[webhook]]: secret_file = "{file}", and give it to the receiver'
        )
