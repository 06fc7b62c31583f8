"""`newsletter briefings new`: a file with every section, begun from nothing or from stories of the inbox."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.editorial import beginnings, briefings
from newsletter.editorial.beginnings import Begun
from newsletter.editorial.models import Role
from newsletter.errors import UsageError

MaybeId = Annotated[str, typer.Argument(metavar="ID", help="Its stable word; with --from, its title makes one.")]
Items = Annotated[
    list[int],
    typer.Option("--from", metavar="ITEM", help="A story of the inbox; repeat.", min=1, max=desk.LARGEST),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Put the command under the noun."""
    app.command()(new)


def new(
    ctx: typer.Context,
    id: MaybeId = "",
    from_: Items = [],  # noqa: B006 - typer copies it
    title: Annotated[str, typer.Option(help="The title, if you have one already.")] = "",
    edit: Annotated[bool, typer.Option("--edit/--no-edit", help="Open $VISUAL or $EDITOR at a terminal.")] = True,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Start a briefing: a file with every section, waiting to be written.

    With --from, the front matter credits every source of the stories and whoever told them first, and names the topics
    that they seem to be about. The stories are yours until the briefing is approved or spiked.
    """
    if not id and not from_:
        raise UsageError("give the briefing's ID, or stories to begin from: newsletter briefings new --from ITEM")
    here = desk.of(ctx)
    with here.acting(as_, Role.WRITER) as act:
        begun = _begun(act, from_, id, title, here.settings.briefings)
    if as_json:
        output.emit({"briefing": begun.id, "path": begun.path, "sources": begun.sources, "topics": begun.topics})
        return
    for source in begun.unread:
        output.note(f"open {source.url or source.name}, which told it first, and cite its page itself")
    if edit and _edited(begun.path):
        here.look(begun.id, who=act.who)
    output.say(f"{begun.path} waits for your words; then: newsletter briefings check {begun.id}")


def _begun(act: desk.Act, numbers: list[int], id: str, title: str, folder: Path) -> Begun:
    if not numbers:
        path = briefings.new(act.session, id, title=title, folder=folder, author=act.who, now=act.now)
        return Begun(id=id, path=path, sources=(), topics=())
    begun = beginnings.begin(act.session, numbers, id=id, title=title, folder=folder, author=act.who, now=act.now)
    for number in dict.fromkeys(numbers):
        act.record("claimed", "item", number, briefing=begun.id)
    return begun


def _edited(path: Path) -> bool:
    """Return whether somebody had the file in their editor."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if not editor or not sys.stdin.isatty():
        return False
    try:
        ended = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode
    except (OSError, ValueError) as error:
        output.note(f"warning: {editor} cannot be started ({error}); open {path} yourself")
        return False
    if ended:
        output.note(f"warning: {editor} ended with {ended}")
    return True
