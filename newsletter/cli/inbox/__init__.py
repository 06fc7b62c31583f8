"""`newsletter inbox`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.inbox import triage
from newsletter.discovery import inbox, items, ranking
from newsletter.editorial import beginnings
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.words import counted

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)

Numbers = Annotated[
    list[int], typer.Argument(metavar="ITEM...", help="The items' numbers.", min=1, max=desk.LARGEST)
]  # fmt: skip
Most = Annotated[int, typer.Option("--most", help="Show so many; 0 shows all.", min=0)]
_SPAN = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


@app.callback()
def root(ctx: typer.Context, most: Most = 50, as_json: desk.Json = False) -> None:
    """See the stories that wait for an editor, the best first."""
    if ctx.invoked_subcommand is None:
        list_(ctx, most, as_json)


@app.command("list")
def list_(ctx: typer.Context, most: Most = 50, as_json: desk.Json = False) -> None:
    """List the stories that wait: fresh ones, told by several sources, of subjects that the desk wrote about, first."""
    here = desk.of(ctx)
    with here.read() as session:
        found = ranking.rank(inbox.waiting(session, now=here.now), beginnings.memory(session), now=here.now)
    shown = found[: most or len(found)]
    if as_json:
        output.emit(shown)
        return
    rows = [
        (each.id, inbox.standing(each), each.title, _sources(each), each.topics, each.covered, each.published)
        for each in shown
    ]
    columns = ("no", "state", "title", "source", "about", "covered by", "published")
    output.table(columns, rows, empty="The inbox is empty")
    if len(shown) < len(found):
        output.note(f"{len(found) - len(shown)} more; see them all: newsletter inbox list --most 0")


def _sources(story: ranking.Story) -> str:
    more = len(story.sources) - 1
    return story.feed + (f" and {more} more" if more else "")


@app.command()
def show(
    ctx: typer.Context,
    item: Annotated[int, typer.Argument(metavar="ITEM", help="The item's number.", min=1, max=desk.LARGEST)],
    as_json: desk.Json = False,
) -> None:
    """Show a story: what each source says of it, what it said before, and what was decided."""
    here = desk.of(ctx)
    with here.read() as session:
        members = inbox.story(session, item)
        (story,) = ranking.rank([members[0]], beginnings.memory(session), now=here.now)
        before = {each.id: items.revisions(session, each.id) for each in members}
    if as_json:
        output.emit({"story": story, "items": members, "before": before})
        return
    output.say(f"{story.title}\n{inbox.standing(story)}{f': {story.reason}' if story.reason else ''}")
    for name, value in (("about", ", ".join(story.topics)), ("covered by", story.covered)):
        if value:
            output.say(f"{name}: {value}")
    for each in members:
        _tell(each, before[each.id])


def _tell(item: inbox.ItemView, before: list[items.Before]) -> None:
    when = f"{item.published:%Y-%m-%d %H:%M} UTC" if item.published else "no date"
    output.say(
        f"\n{item.id}  {item.feed}, {when}, {inbox.standing(item)}\n    {item.title}\n    {item.url or 'no address'}"
    )
    if item.upstream:
        output.say(f"    first told by {item.upstream}")
    if item.summary:
        output.say(f"    {item.summary[:1000]}")
    for old in before:
        output.say(f"    said until {old.replaced_at:%Y-%m-%d %H:%M} UTC: {old.title}")


@app.command()
def shortlist(ctx: typer.Context, item: Numbers, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Keep stories that are worth a briefing; also takes back a dismissal, and releases a claim."""
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        moved = inbox.shortlist(act.session, item, actor=act.who, now=act.now)
        _record(act, "shortlisted", item)
    _told(as_json, "shortlisted", item, moved)


@app.command()
def dismiss(
    ctx: typer.Context,
    item: Numbers,
    reason: Annotated[str, typer.Option(help="Why it is nothing for this desk.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Take stories out of the inbox; they do not return when their feeds are read again."""
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        moved = inbox.dismiss(act.session, item, reason=reason, actor=act.who, now=act.now)
        _record(act, "dismissed", item, reason=reason)
    _told(as_json, "dismissed", item, moved)


@app.command()
def snooze(
    ctx: typer.Context,
    item: Numbers,
    until: Annotated[str, typer.Option(metavar="WHEN", help="12h, 3d, 2w, or a date such as 2026-11-30.")] = "1d",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Take stories out of sight until a moment; then they wait again."""
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        moment = _moment(until, act.now)
        moved = inbox.snooze(act.session, item, until=moment, actor=act.who, now=act.now)
        _record(act, "snoozed", item, until=moment.isoformat())
    _told(as_json, "snoozed", item, moved)


def _record(act: desk.Act, action: str, numbers: list[int], **detail: str) -> None:
    for number in dict.fromkeys(numbers):
        act.record(action, "item", number, **detail)


def _told(as_json: bool, state: str, numbers: list[int], moved: int) -> None:
    if as_json:
        output.emit({"state": state, "stories": list(dict.fromkeys(numbers)), "items": moved})
    else:
        output.say(f"{counted(moved, 'item is', 'items are')} {state}")


def _moment(given: str, now: datetime) -> datetime:
    """Return the moment that a span or a date means; a date without an offset is UTC."""
    span = _SPAN.fullmatch(given.strip())
    if span:
        return now + timedelta(hours=int(span[1]) * _HOURS[span[2]])
    try:
        made = datetime.fromisoformat(given.strip())
    except ValueError as error:
        raise UsageError(f"--until {given} is no moment; give 12h, 3d, 2w, or a date such as 2026-11-30") from error
    return made if made.tzinfo else made.replace(tzinfo=UTC)


triage.register(app)
