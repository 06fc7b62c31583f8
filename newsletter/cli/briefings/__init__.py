"""`newsletter briefings`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.cli.briefings import beginning, comparing, deciding, inviting, judging, ranking, rechecking, reviewing
from newsletter.cli.briefings.options import Id, standing_json
from newsletter.editorial import briefings, format, page
from newsletter.editorial.models import BriefingState, Role
from newsletter.errors import UsageError
from newsletter.issues import ranks

app = shape.noun("briefings")
beginning.register(app)


@app.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="In the format briefing/1, or a published page as plain text.")
    ],
    id: Annotated[
        str, typer.Option("--id", help="The word for a page, which carries none; else the file's name.")
    ] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Take briefing files in, each copied into briefings/; all of them or none.

    A published page (introduction, bullets, sections, "Source assisted", "How ... reports") becomes a draft that still
    lacks what a page does not carry.
    """
    here = desk.of(ctx)
    if id and len(files) > 1:
        raise UsageError("--id is the word for one page; import pages one by one")
    with here.acting(as_, Role.WRITER) as act:
        taken = [_take(act, here, path, id=id) for path in files]
    if as_json:
        output.emit([standing_json(standing) for standing in taken])
    else:
        for standing in taken:
            output.say(f"{standing.id}: {standing.title or '(no title yet)'} ({standing.state})")


def _take(act: desk.Act, here: desk.Desk, path: Path, *, id: str) -> briefings.Standing:
    folder, words = here.settings.briefings, here.settings.publication
    read = page.load(path, id=id or path.stem)
    if read is None:
        return briefings.import_file(act.session, path, folder=folder, actor=act.who, now=act.now)
    if (read.publication, read.reports) != (words.name, words.reports):
        output.note(f"note: {path} is a page of {read.publication}; pages of this desk say what newsletter.toml says")
    return briefings.adopt(act.session, read.document, folder=folder, actor=act.who, now=act.now)


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[BriefingState | None, typer.Option(help="Only those in this state.")] = None,
    as_json: desk.Json = False,
) -> None:
    """List the briefings, after a look at their files."""
    here = desk.of(ctx)
    with here.glance() as session:
        found, weighed = briefings.all(session, state=state), ranks.all(session)
    rank_of = {each.id: weighed.get(each.id, ranks.NONE) for each in found}
    if as_json:
        output.emit([{**standing_json(each), **rank_of[each.id].as_json()} for each in found])
        return
    rows = [
        (each.id, each.state, each.title, each.author, each.approved_by, each.changed_at,
         str(rank_of[each.id]) if each.id in weighed else "")
        for each in found
    ]  # fmt: skip
    columns = ("briefing", "state", "title", "author", "approved by", "changed", "rank")
    output.table(columns, rows, empty="No briefings yet; newsletter briefings new ID")


@app.command()
def show(
    ctx: typer.Context,
    id: Id,
    as_page: Annotated[bool, typer.Option("--page", help="As a published page, in plain text.")] = False,
    as_json: desk.Json = False,
) -> None:
    """Show a briefing's text and where it stands."""
    here = desk.of(ctx)
    with here.glance(id) as session:
        standing = briefings.get(session, id)
    if as_json:
        output.emit({**standing_json(standing), "document": standing.document})
    elif as_page:
        settings = here.settings.publication
        output.write(page.write(standing.document, publication=settings.name, reports=settings.reports))
    else:
        approved = f", approved by {', '.join(standing.approved_by)}" if standing.approved_by else ""
        output.say(f"{standing.id}: {standing.state}{approved}; revision {standing.revision}, {standing.sha256[:12]}\n")
        output.write(format.dump(standing.document))


for part in (judging, reviewing, comparing, rechecking, inviting, deciding, ranking):
    part.register(app)
