"""`newsletter briefings recheck`: the pages that briefings cite, beside what they said at the approval."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.editorial import briefings, rechecks
from newsletter.editorial.models import Role
from newsletter.editorial.rechecks import Change
from newsletter.errors import Refused, UsageError
from newsletter.issues import issues
from newsletter.words import counted


def register(app: typer.Typer) -> None:
    """Put the command under the noun."""
    app.command()(recheck)


def recheck(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="The briefings.")] = None,
    issue: Annotated[
        int | None, typer.Option("--issue", metavar="ISSUE", help="All of an issue's.", min=1, max=desk.LARGEST)
    ] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Look again at the pages that briefings cite, and tell what became of each since the approval.

    Takes the articles' words too, where [discovery] fulltext is switched on. Ends with 1 when a page is gone.
    """
    here = desk.of(ctx)
    here.may(as_, Role.SCOUT, Role.STANDARDS, Role.SENDER)
    with here.read() as session:
        named = [*(ids or []), *(issues.get(session, issue).items if issue else ())]
        for id in named:
            briefings.get(session, id)
    if not named:
        raise UsageError("whose sources? newsletter briefings recheck ID..., or --issue ISSUE")
    begun = here.now
    with output.progress("sources") as tell:
        rechecks.read(here.engine, here.settings, ids=named, now=begun, tell=tell)
        rechecks.look(here.engine, named, here.settings, since=begun, now=here.now, tell=tell)
    with here.read() as session:
        found = [each for id in dict.fromkeys(named) for each in rechecks.found(session, briefings.get(session, id))]
    if as_json:
        output.emit(found)
    else:
        rows = [(each.briefing, each.source, each.name, each.change, each.told, each.at) for each in found]
        output.table(("briefing", "source", "name", "is", "which", "looked at"), rows, empty="No source is cited")
    gone = [each for each in found if each.change is Change.GONE]
    if gone:
        told = counted(len(gone), "source is", "sources are")
        raise Refused(f"{told} gone, of {len(found)}; cite other pages, and have the texts approved anew")
