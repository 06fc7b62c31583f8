"""`newsletter feeds`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli import desk, output, rechecking, shape
from newsletter.discovery import feeds, health, outlines
from newsletter.discovery.models import FeedState
from newsletter.editorial import rechecks
from newsletter.editorial.models import Role
from newsletter.errors import BadInput, Refused, UsageError
from newsletter.words import counted

app = shape.noun("feeds")

Feed = Annotated[int, typer.Argument(metavar="FEED", help="The feed's number.", min=1, max=desk.LARGEST)]
Name = Annotated[str, typer.Option(help="What the desk calls it; else the feed's own title.")]
Every = Annotated[int, typer.Option(metavar="MINUTES", help="Ask it so often; 0 lets its own pace decide.", min=0)]


@app.command()
def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The feed, or a page that names one.")],
    name: Name = "",
    every: Every = 0,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Follow a feed: fetch it once to see that it is one, or find the one that a page names."""
    from newsletter.discovery import pages, parsing
    from newsletter.fetching import Client

    here = desk.of(ctx)
    here.may(as_, Role.SCOUT)
    found = pages.find(url, client=Client(), parsers=parsing.shared())
    with here.acting(as_, Role.SCOUT) as act:
        made = feeds.add(act.session, found.url, name=name or found.title, every=every, now=act.now)
        act.record("followed", "feed", made.name[:120], feed=made.id, url=made.url)
    if as_json:
        output.emit(made)
    else:
        output.say(f"Feed {made.id}, {made.name}, is followed ({made.url}); next: newsletter feeds poll")


@app.command()
def poll(
    ctx: typer.Context,
    only: Annotated[
        list[int] | None, typer.Argument(metavar="FEED", help="Only these, due or not.", max=desk.LARGEST)
    ] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Ask the feeds that are due, eight at a time and each host in peace; run it every quarter of an hour by cron.

    Takes the words of the pages that briefings in work cite, where [discovery] fulltext is switched on.
    """
    from newsletter.discovery.polling import Poller
    from newsletter.fetching import Client

    here = desk.of(ctx)
    here.may(as_, Role.SCOUT)
    with output.progress("feeds") as tell:
        found = Poller(here.engine, client=Client(), tell=tell).poll(only or None)
    with here.read() as session:
        approved = rechecks.unseen(session)
    rechecking.look(here, approved, since=here.now)  # what a review link approved, for one
    with output.progress("articles") as tell:
        read = rechecks.read(here.engine, here.settings, now=here.now, tell=tell)
    if as_json:
        output.emit(found)
        return
    failed = [each for each in found if each.fault]
    for each in failed:
        output.note(f"{each.name}: {each.fault}")
    new, changed = sum(len(each.new) for each in found), sum(each.changed for each in found)
    articles = f"; {counted(read, 'article')} looked at for their words" if read else ""
    asked, items = counted(len(found), "feed"), counted(new, "new item")
    output.say(f"{asked} asked, {len(failed)} failed; {items}, {changed} changed{articles}")


@app.command("health")
def health_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Tell what is wrong with which feed, since when, and what helps; ends with 1 when somebody must look."""
    here = desk.of(ctx)
    with here.read() as session:
        found = health.all(session, now=here.now)
    if as_json:
        output.emit(found)
    else:
        rows = [
            (each.feed, each.name, each.health, each.since, each.why, each.next)
            for each in found
            if each.health is not health.Health.FINE
        ]
        fine = counted(len(found), "feed is fine", "feeds are fine")
        output.table(("no", "feed", "is", "since", "why", "next"), rows, empty=fine)
    alarming = [each for each in found if each.health in health.ALARMING]
    if alarming:
        raise Refused(f"{counted(len(alarming), 'feed needs', 'feeds need')} somebody; what helps stands above")


@app.command()
def edit(
    ctx: typer.Context,
    feed: Feed,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    url: Annotated[str | None, typer.Option(help="Another address; the feed is asked anew.")] = None,
    every: Annotated[int | None, typer.Option(metavar="MINUTES", help="Ask it so often; 0: its own pace.")] = None,
    follow: Annotated[bool | None, typer.Option("--follow/--pause", help="Poll it, or leave it alone.")] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Change a feed's name, address or pace; pause it, or follow it again."""
    state = None if follow is None else FeedState.FOLLOWED if follow else FeedState.PAUSED
    given = {"name": name, "url": url, "every": every, "state": state}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise UsageError("nothing to change; give --name, --url, --every, --pause or --follow")
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        changed = feeds.edit(act.session, feed, now=act.now, **changes)
        act.record("changed", "feed", changed.name[:120], feed=feed, to=changes)
    if as_json:
        output.emit(changed)
    else:
        output.say(f"Feed {changed.id}, {changed.name}, is {changed.state} at {changed.url}")


@app.command()
def remove(
    ctx: typer.Context, feed: Feed, yes: desk.Yes = False, as_: desk.Actor = "", as_json: desk.Json = False
) -> None:
    """Follow a feed no more; what waits in the inbox of it leaves, what was used stays on record."""
    here = desk.of(ctx)
    with here.seeing(as_, Role.SCOUT) as session:
        found = feeds.get(session, feed)
    output.ask(f"Follow {found.name} no more?", yes=yes)
    with here.acting(as_, Role.SCOUT) as act:
        left = feeds.remove(act.session, feed, now=act.now)
        act.record("removed", "feed", found.name[:120], feed=feed, url=found.url, items=left)
    if as_json:
        output.emit({"feed": feed, "removed": True, "items": left})
    else:
        output.say(f"{found.name} is followed no more; {counted(left, 'item')} left the inbox")


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML document, as feed readers export it.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Follow every feed that an OPML document lists."""
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        result = outlines.read(act.session, _document(file), now=act.now)
        act.record("imported", "feed", file.name[:120], added=result.added, already=result.already)
    if as_json:
        output.emit(result)
        return
    for url in result.unusable:
        output.note(f"left out: {url!r} is no http(s) address")
    output.say(f"{counted(result.added, 'feed')} added, {result.already} followed already; next: newsletter feeds poll")


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to write it; else it is printed.")] = None,
) -> None:
    """Write the feeds as an OPML document that feed readers import."""
    here = desk.of(ctx)
    with here.read() as session:
        made = outlines.write(feeds.all(session), title=here.settings.publication.name, now=here.now)
    if file is None:
        output.write(made.decode())
        return
    try:
        file.write_bytes(made)
    except OSError as error:
        raise BadInput(f"{file} cannot be written: {error.strerror}; name another file") from error
    output.note(f"{file} is written")


@app.command()
def read(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A saved RSS, Atom or JSON Feed document.")],
    url: Annotated[str, typer.Option(help="The feed's address: it is the same feed when it is read again.")],
    name: Name = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Read a feed's document into the inbox; entries that are known and say the same change nothing."""
    with desk.of(ctx).acting(as_, Role.SCOUT) as act:
        result = feeds.read(act.session, _document(file), url=url, name=name, now=act.now)
        act.record("read", "feed", result.feed[:120], found=result.found, new=result.new)
    if as_json:
        output.emit(result)
    else:
        entries = counted(result.found, "entry", "entries")
        output.say(f"{result.feed}: {entries}, {result.new} new; see them: newsletter inbox")


def _document(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}; name a saved document") from error


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the feeds."""
    with desk.of(ctx).read() as session:
        found = feeds.all(session)
    if as_json:
        output.emit(found)
    else:
        rows = [(each.id, each.name, each.url, each.state, each.items, each.polled_at, each.due_at) for each in found]
        columns = ("no", "feed", "address", "state", "items", "asked", "due")
        output.table(columns, rows, empty="No feeds yet; newsletter feeds add URL")
