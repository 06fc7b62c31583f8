"""`newsletter issues edit`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, texts
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.issues import issues
from newsletter.issues.arranging import Arrangement
from newsletter.issues.models import Unmatched


def edit(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    order: Annotated[
        str, typer.Option(metavar="N,N...", help="These items first, by number or briefing; the others follow.")
    ] = "",
    add: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Another approved briefing, at the end; may be repeated.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="N", help="An item to leave out, by number or briefing; likewise.")
    ] = None,
    list_name: Annotated[
        str | None, typer.Option("--list", metavar="LIST", help="For this list; an empty one for whichever gets it.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Another subject.")] = None,
    or_subject: Annotated[
        list[str] | None,
        typer.Option(
            "--or-subject",
            metavar="WORDS",
            help="A subject to try beside it, up to three; an empty one takes them away.",
        ),
    ] = None,
    preheader: Annotated[str | None, typer.Option(help="Another line for inboxes to show after the subject.")] = None,
    intro: Annotated[Path | None, typer.Option(metavar="FILE", help="Other Markdown to open the issue with.")] = None,
    by_topic: Annotated[bool | None, typer.Option(help="Show each reader the items of their topics.")] = None,
    by_audience: Annotated[
        bool | None, typer.Option(help="Show what a buyer should know to the briefing's audience only.")
    ] = None,
    leads: Annotated[int | None, typer.Option(min=1, help="How many first items do where no topic matches.")] = None,
    unmatched: Annotated[Unmatched | None, typer.Option(help="What such a reader gets: leads, or no copy.")] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Give an issue that is not frozen other items or words, or let it differ by reader.

    A subject and a preheader that nobody wrote follow the items.
    """
    given = {
        "list": list_name,
        "subject": subject, "alternatives": tuple(or_subject) if or_subject else None, "preheader": preheader,
        "intro": texts.read(intro, "--intro") if intro else None,
        "by_topic": by_topic, "by_audience": by_audience, "leads": leads, "unmatched": unmatched,
    }  # fmt: skip
    changes = {name: value for name, value in given.items() if value is not None}
    places = tuple(each.strip() for each in order.split(",")) if order else ()
    arrangement = Arrangement(drop=tuple(drop or ()), add=tuple(add or ()), order=places)
    if not changes and not arrangement:
        raise UsageError(f"say what to change: newsletter issues edit {issue} --subject ...; see --help")
    _apply(desk.of(ctx), issue, changes, arrangement, as_, as_json)


def _apply(
    here: desk.Desk, issue: int, changes: Mapping[str, object], arrangement: Arrangement, as_: str, as_json: bool
) -> None:
    here.may(as_, Role.EDITOR)
    if arrangement.add:
        here.look()
    with here.acting(as_, Role.EDITOR) as act:
        found = issues.edit(act.session, issue, changes=changes, arrangement=arrangement, actor=act.who, now=act.now)
    if as_json:
        output.emit(found.as_json())
        return
    output.say(f"Issue {issue}: {found.subject}. {issues.next_step(found)}")
    for position, briefing in enumerate(found.items if arrangement else (), start=1):
        output.say(f"  {position}. {briefing}")
