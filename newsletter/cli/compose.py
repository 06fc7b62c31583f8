"""`newsletter compose`."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from newsletter import recurrence
from newsletter.cli import desk, output, shape, sizing, texts, watching
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.issues import choosing, issues, selecting
from newsletter.issues.content import Terms
from newsletter.issues.models import Unmatched
from newsletter.issues.selecting import Selection

app = shape.verb()


@app.command()
def compose(
    ctx: typer.Context,
    more: Annotated[list[str] | None, typer.Argument(metavar="ID", hidden=True)] = None,
    pick: Annotated[list[str] | None, typer.Option(metavar="ID...", help="These briefings, in this order.")] = None,
    from_approved: Annotated[bool, typer.Option("--from-approved", help="All that is approved and waits.")] = False,
    since: Annotated[str, typer.Option(metavar="7d", help="Approved within so many days (d) or hours (h).")] = "",
    topic: Annotated[str, typer.Option(help="Only briefings about this topic.")] = "",
    list_name: Annotated[
        str, typer.Option("--list", metavar="LIST", help="For this list; what other lists had is news to it.")
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="No more items than this; 0 sets no limit.")] = 0,
    per_topic: Annotated[int, typer.Option(min=0, help="No more items of one topic than this; 0 sets no limit.")] = 0,
    max_minutes: Annotated[
        int | None, typer.Option(min=0, help=f"No more to read than this, else {selecting.MINUTES}; 0 sets no limit.")
    ] = None,
    max_kb: Annotated[
        int, typer.Option(min=0, help="No larger than this, from the end; 0 sets no limit. Gmail shows 102.")
    ] = 0,
    subject: Annotated[str, typer.Option(help="The subject; else the lead's title, as far as phones show it.")] = "",
    or_subject: Annotated[
        list[str] | None,
        typer.Option("--or-subject", metavar="WORDS", help="Another subject to try; may be given three times."),
    ] = None,
    preheader: Annotated[str, typer.Option(help="The line that inboxes show after the subject.")] = "",
    intro: Annotated[Path | None, typer.Option(metavar="FILE", help="Markdown to open the issue with.")] = None,
    by_topic: Annotated[bool, typer.Option("--by-topic", help="Show each reader the items of their topics.")] = False,
    by_audience: Annotated[
        bool, typer.Option("--by-audience", help="Show what a buyer should know to the briefing's audience only.")
    ] = False,
    leads: Annotated[int, typer.Option(min=1, help="How many first items a reader gets whose topics match none.")] = 1,
    unmatched: Annotated[Unmatched, typer.Option(help="What such a reader gets: the leads, or no copy.")] = (
        Unmatched.LEAD
    ),
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and recompose it while briefings and the intro are edited.")
    ] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Make an issue of approved briefings: those picked, else what waits, as far as there is room.

    What has a place comes there, then the highest score, then the newest: newsletter briefings rank.
    """
    here = desk.of(ctx)
    picks = [*(pick or []), *(more or [])]
    if more and not pick:
        raise UsageError(f"what is {more[0]}? to choose briefings: newsletter compose --pick {' '.join(more)}")
    if picks and (from_approved or since or topic or limit or per_topic or max_kb or max_minutes is not None):
        raise UsageError("--pick names the briefings; leave out --from-approved and what it selects by")
    if watch and as_json:
        raise UsageError("--watch tells what changes, line by line; leave out --json")
    if not by_topic and (leads != 1 or unmatched is not Unmatched.LEAD):
        raise UsageError("--leads and --unmatched say what happens by topic; add --by-topic")
    terms = Terms(by_topic=by_topic, by_audience=by_audience, leads=leads, unmatched=unmatched)
    span = _span(since) if since else None
    minutes = selecting.MINUTES if max_minutes is None else max_minutes
    room = selecting.Room(items=limit, per_topic=per_topic, minutes=minutes)
    here.may(as_, Role.EDITOR)
    words = issues.Words(
        subject=subject, alternatives=tuple(or_subject or ()), preheader=preheader,
        intro=texts.read(intro, "--intro") if intro else "",
    )  # fmt: skip
    here.look()

    def choose(session: Session, besides: int, now: datetime) -> Selection:
        if picks:
            return Selection(picks=tuple(picks))
        earliest = now - span if span else None
        found = choosing.choose(
            session, since=earliest, topic=topic, list_name=list_name, room=room, besides=besides, now=now
        )
        return sizing.cut(session, here, found, max_kb, words=words, terms=terms, now=now)

    with here.acting(as_, Role.EDITOR) as act:
        chosen = choose(act.session, 0, act.now)
        chosen.require()
        issue = issues.compose(
            act.session, chosen.picks, words=words, terms=terms, list_name=list_name, actor=act.who, now=act.now
        )
    extent = sizing.extent(here, issue)
    if as_json:
        output.emit({**issue.as_json(), "left_out": chosen.left, **extent.as_json()})
    else:
        _tell(issue, chosen, extent)
    if watch:
        watching.watch(here, issue, choose, intro, who=act.who)


def _tell(issue: issues.IssueView, chosen: Selection, extent: sizing.Extent) -> None:
    output.say(f"Issue {issue.id}{f' for {issue.list}' if issue.list else ''}: {issue.subject}")
    sizing.listed(issue, chosen.left)
    sizing.tell(issue, extent)
    output.say(f"See it: newsletter preview {issue.id} --open. Then freeze it: newsletter issues freeze {issue.id}")


def _span(text: str) -> timedelta:
    try:
        return recurrence.span(text)
    except ValueError as error:
        raise UsageError(f"--since {error}") from error
