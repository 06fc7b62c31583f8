"""`newsletter briefings submit`, `approve`, `reject`, `comment`, `comments`, `history`: the way through review."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, rechecking
from newsletter.cli.briefings.options import Id, outcome, show_report, standing_json
from newsletter.editorial import approvals, briefings, comments, decisions, reports
from newsletter.editorial.models import Role

_DESK = (Role.WRITER, Role.EDITOR, Role.STANDARDS)
_APPROVERS = (Role.EDITOR, Role.STANDARDS)


def register(app: typer.Typer) -> None:
    """Put the commands under the noun."""
    for command in (submit, approve, reject, comment, comments_, history):
        app.command(command.__name__.rstrip("_"))(command)


def submit(ctx: typer.Context, id: Id, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Hand a briefing over for somebody else's approval."""
    here = desk.of(ctx)
    here.look(id, who=here.may(as_, Role.WRITER))
    with here.acting(as_, Role.WRITER) as act:
        block, rights = here.settings.check.block, here.settings.rights
        standing = briefings.submit(act.session, id, actor=act.who, block=block, rights=rights, now=act.now)
        report = reports.newest(act.session, id)
    if as_json:
        output.emit({**standing_json(standing), "report": report.id})
    else:
        output.say(f"{id} is in review ({outcome(report)})")
        output.say(f"Another person approves it: newsletter briefings approve {id} --as PERSON")


def approve(
    ctx: typer.Context,
    id: Id,
    note: Annotated[str, typer.Option(help="What the record should say beside the yes.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say yes to a briefing's exact text; any edit afterwards voids the yes.

    The gate's report on the text is shown, and kept with the yes.
    """
    here = desk.of(ctx)
    here.may(as_, *_APPROVERS)
    here.look(id)
    with here.acting(as_, *_APPROVERS) as act:
        settings = here.settings
        approval = approvals.approve(
            act.session, id, actor=act.who, solo=settings.publication.solo, note=note, block=settings.check.block,
            rights=settings.rights, now=act.now,
        )  # fmt: skip
        report = reports.newest(act.session, id)
    rechecking.look(here, [id], since=approval.at)  # so that later looks have something to be compared with
    if as_json:
        output.emit({**vars(approval), "findings": report.findings, "against": report.against})
        return
    show_report(report)
    alone = " (solo: author and approver are one person, and the record says so)" if approval.solo else ""
    output.say(f"{id} is approved by {approval.person}{alone}: {approval.sha256[:12]}")


def reject(
    ctx: typer.Context,
    id: Id,
    note: Annotated[str, typer.Option("--note", help="What is missing, for whoever writes on.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Send a briefing back to its writer, from review or after an approval, which then holds no more."""
    here = desk.of(ctx)
    here.may(as_, *_APPROVERS)
    here.look(id)
    with here.acting(as_, *_APPROVERS) as act:
        standing = decisions.reject(act.session, id, note=note, actor=act.who, now=act.now)
    if as_json:
        output.emit(standing_json(standing))
    else:
        output.say(f"{id} is a draft again; when it is mended: newsletter briefings submit {id}")


def comment(
    ctx: typer.Context,
    id: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you have to say.")],
    on: Annotated[
        str, typer.Option("--on", metavar="PART", help='A part of it: title, "Key points 2", "sources 1".')
    ] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say something of a briefing, beside its text: an approval of it still holds."""
    here = desk.of(ctx)
    here.may(as_, *_DESK)
    here.look(id)
    with here.acting(as_, *_DESK) as act:
        made = comments.add(act.session, id, text, place=on, actor=act.who, now=act.now)
    if as_json:
        output.emit(made)
    else:
        output.say(f"Noted on revision {made.revision} of {id}; see all: newsletter briefings comments {id}")


def comments_(ctx: typer.Context, id: Id, as_json: desk.Json = False) -> None:
    """Show what was said of a briefing, and of which revision."""
    with desk.of(ctx).read() as session:
        found = comments.all(session, id)
    if as_json:
        output.emit(found)
        return
    rows = [
        (each.at, each.person, f"{each.revision}{'' if each.current else ', since edited'}", each.place, each.text)
        for each in found
    ]
    output.table(("when", "who", "revision", "on", "what"), rows, empty=f"Nobody has said anything of {id} yet")


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
