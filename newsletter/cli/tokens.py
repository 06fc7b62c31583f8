"""`newsletter tokens`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.web.api import tokens

app = shape.noun("tokens")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the program is called in records.")]


@app.command()
def create(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[
        str, typer.Option(metavar="SCOPES", help=f"What it may do, with commas: {', '.join(tokens.Scope)}.")
    ],
    expires: Annotated[str, typer.Option(metavar="TIME", help="How long it is good for, such as 90d.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Make a token for a program and print it, this once."""
    allowed, lasting = tokens.scopes(scope), tokens.lasting(expires) if expires else None
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        made, secret = tokens.create(act.session, name, scopes=allowed, expires=lasting, actor=act.who, now=act.now)
        act.record("created", "token", name, scopes=list(allowed), expires=expires)
    if as_json:
        output.emit({"token": made.name, "secret": secret, "scopes": made.scopes, "expires_at": made.expires_at})
        return
    output.say(secret)
    until = f"until {made.expires_at:%Y-%m-%d %H:%M} UTC" if made.expires_at else "until it is taken back"
    output.note(f"note: this is shown once; {name} comes in with it {until} (newsletter tokens revoke {name})")


@app.command("list")
def list_(ctx: typer.Context, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """List the tokens: what each may do, until when, and when it was used last."""
    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        found = tokens.all(session)
    if as_json:
        output.emit(found)
        return
    rows = [
        (each.name, ", ".join(each.scopes), each.created_at, each.expires_at, each.used_at,
         "valid" if each.valid(here.now) else "taken back" if each.revoked_at else "expired")
        for each in found
    ]  # fmt: skip
    columns = ("token", "may", "since", "until", "used", "state")
    output.table(columns, rows, empty="No program comes in; newsletter tokens create NAME --scope lists:read")


@app.command()
def revoke(ctx: typer.Context, name: Name, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Take a token back: from now on nobody comes in with it."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        tokens.revoke(act.session, name, actor=act.who, now=act.now)
        act.record("revoked", "token", name)
    if as_json:
        output.emit({"token": name, "revoked": True})
    else:
        output.say(f"Nobody comes in as {name} any more")
