"""`newsletter briefings`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial import approvals, briefings, format, gate, page
from newsletter.editorial.gate import Severity
from newsletter.editorial.models import BriefingState
from newsletter.errors import BadInput, Blocked

app = shape.noun("briefings")

Id = Annotated[str, typer.Argument(metavar="ID", help="The briefing's stable word.")]


@app.command()
def new(
    ctx: typer.Context,
    id: Id,
    title: Annotated[str, typer.Option(help="The title, if you have one already.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Start a briefing: a file with every section, waiting to be written."""
    here, who = desk.of(ctx), desk.actor(as_)
    with here.write() as session:
        path = briefings.new(session, id, title=title, folder=here.settings.briefings, author=who, now=here.now)
    if as_json:
        output.emit({"briefing": id, "path": path})
    else:
        output.say(f"{path} waits for your words; then: newsletter briefings check {id}")


@app.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files in the format briefing/1.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Take briefing files in, each copied into briefings/; all of them or none."""
    here, who = desk.of(ctx), desk.actor(as_)
    with here.write() as session:
        taken = [
            briefings.import_file(session, path, folder=here.settings.briefings, actor=who, now=here.now)
            for path in files
        ]
    if as_json:
        output.emit([_json(standing) for standing in taken])
    else:
        for standing in taken:
            output.say(f"{standing.id}: {standing.title} ({standing.state})")


@app.command("import-page")
def import_page(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A published page as plain text, in the desk's page layout.")],
    id: Annotated[str, typer.Option("--id", help="The word to know the briefing by.")],
    as_: desk.Actor = "",
) -> None:
    """Take a published page in: its text becomes a draft that still lacks what a page does not carry."""
    here, who = desk.of(ctx), desk.actor(as_)
    try:
        read = page.read(file.read_text("utf-8"), id=id, where=str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read: {error}; name a text file in UTF-8") from error
    with here.write() as session:
        standing = briefings.adopt(session, read.document, folder=here.settings.briefings, actor=who, now=here.now)
    output.say(
        f"{standing.id} is a draft in {here.settings.briefings}; newsletter briefings check {id} says what it lacks"
    )


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[BriefingState | None, typer.Option(help="Only those in this state.")] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """List the briefings, after a look at their files."""
    here = desk.of(ctx)
    here.look(desk.actor(as_))
    with here.read() as session:
        found = briefings.all(session, state=state)
    if as_json:
        output.emit([_json(standing) for standing in found])
        return
    rows = [(each.id, each.state, each.title, each.author, each.approved_by, each.changed_at) for each in found]
    columns = ("briefing", "state", "title", "author", "approved by", "changed")
    output.table(columns, rows, empty="No briefings yet; newsletter briefings new ID")


@app.command()
def show(
    ctx: typer.Context,
    id: Id,
    as_page: Annotated[bool, typer.Option("--page", help="As a published page, in plain text.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Show a briefing's text and where it stands."""
    here = desk.of(ctx)
    here.look(desk.actor(as_), id)
    with here.read() as session:
        standing = briefings.get(session, id)
    if as_json:
        output.emit({**_json(standing), "document": standing.document})
    elif as_page:
        settings = here.settings.publication
        output.write(page.write(standing.document, publication=settings.name, reports=settings.reports))
    else:
        approved = f", approved by {', '.join(standing.approved_by)}" if standing.approved_by else ""
        output.say(f"{standing.id}: {standing.state}{approved}; revision {standing.revision}, {standing.sha256[:12]}\n")
        output.write(format.dump(standing.document))


@app.command()
def check(ctx: typer.Context, id: Id, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Hold a briefing against the standards; exits 1 when something blocks."""
    here = desk.of(ctx)
    here.look(desk.actor(as_), id)
    with here.read() as session:
        findings = gate.check(briefings.get(session, id).document, now=here.now)
    blocking = [finding for finding in findings if finding.severity is Severity.BLOCK]
    if as_json:
        output.emit({"briefing": id, "findings": findings, "blocked": bool(blocking)})
    else:
        output.findings(findings, empty=f"{id}: nothing to say against it")
    if blocking:
        raise Blocked(f"{id} cannot be approved as it stands; mend what blocks and check again")


@app.command()
def submit(ctx: typer.Context, id: Id, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Hand a briefing over for somebody else's approval."""
    here, who = desk.of(ctx), desk.actor(as_)
    here.look(who, id)
    with here.write() as session:
        standing = briefings.submit(session, id, actor=who, now=here.now)
    if as_json:
        output.emit(_json(standing))
    else:
        output.say(f"{id} is in review; another person approves it: newsletter briefings approve {id} --as PERSON")


@app.command()
def approve(
    ctx: typer.Context,
    id: Id,
    note: Annotated[str, typer.Option(help="What the record should say beside the yes.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say yes to a briefing's exact text; any edit afterwards voids the yes."""
    here, who = desk.of(ctx), desk.actor(as_)
    here.look(who, id)
    with here.write() as session:
        approval = approvals.approve(
            session, id, actor=who, solo=here.settings.publication.solo, note=note, now=here.now
        )
    if as_json:
        output.emit(approval)
    else:
        alone = " (solo: author and approver are one person, and the record says so)" if approval.solo else ""
        output.say(f"{id} is approved by {approval.person}{alone}: {approval.sha256[:12]}")


@app.command()
def history(ctx: typer.Context, id: Id, as_json: desk.Json = False) -> None:
    """Tell who did what to a briefing, and when."""
    with desk.of(ctx).read() as session:
        briefings.get(session, id)
        found = briefings.history(session, id)
    if as_json:
        output.emit(found)
    else:
        rows = [(entry.at, entry.actor, entry.action, entry.summary) for entry in found]
        output.table(("when", "who", "did", "what"), rows, empty="Nothing happened yet")


def _json(standing: briefings.Standing) -> dict[str, object]:
    return {
        "briefing": standing.id, "state": standing.state, "title": standing.title, "author": standing.author,
        "revision": standing.revision, "sha256": standing.sha256, "approved_by": list(standing.approved_by),
        "approved_sha256": standing.approved_sha256, "changed_at": standing.changed_at,
    }  # fmt: skip
