"""`newsletter issues report` and `compare`: what became of an issue, and of several beside each other."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.errors import Refused, UsageError
from newsletter.feedback import figures
from newsletter.feedback.figures import Figures
from newsletter.feedback.models import ClickBy


def register(app: typer.Typer) -> None:
    """Put the commands under the noun."""
    for command in (report, compare):
        app.command()(command)


def report(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write it there as a page with charts; - prints it.")] = "",
    png: Annotated[str, typer.Option(metavar="FILE", help="Draw that page there. Needs Chromium.")] = "",
    as_json: desk.Json = False,
) -> None:
    """Tell what became of an issue: copies, bounces, complaints, leavings, and clicks where a list counts them."""
    if bool(html) + bool(png) + as_json > 1:
        raise UsageError("choose one of --html, --png and --json")
    here = desk.of(ctx)
    with here.read() as session:
        found = figures.of(session, issue, now=here.now)
    if as_json:
        output.emit(found.as_json())
    elif html or png:
        _write(here, found, html, png)
    else:
        _show(found)


def compare(
    ctx: typer.Context,
    last: Annotated[int, typer.Option(help="How many issues, the newest first.", min=1, max=1000)] = 10,
    as_json: desk.Json = False,
) -> None:
    """Set the issues that went out beside each other, by their rates."""
    here = desk.of(ctx)
    with here.read() as session:
        found = figures.newest(session, last=last, now=here.now)
    if as_json:
        names = ("issue", "subject", "started", "audience", "sent", "bounced", "complained", "unsubscribed",
                 "clicks_counted_for", "clicked")  # fmt: skip
        told = [each.as_json() for each in found]
        output.emit([{name: each[name] for name in names} for each in told])
        return
    rows = [
        (each.issue, each.subject, each.status.started, f"{each.status.sent:,} of {each.status.audience:,}",
         _brief(each), str(each.left), str(each.bounced), str(each.complained))
        for each in found
    ]  # fmt: skip
    columns = ("issue", "subject", "begun", "sent", "followed a link", "left", "bounced", "called it spam")
    output.table(columns, rows, empty="No issue has gone out yet")


def _brief(found: Figures) -> str:
    return str(found.clicked) if found.clicked.whole else "not counted"


def _write(here: desk.Desk, found: Figures, html: str, png: str) -> None:
    from newsletter.feedback import sheet

    page = sheet.page(found, here.settings)
    if html == "-":
        output.write(page)
        return
    if png:
        from newsletter.rendering import picture

        made = picture.page(page, width=960)
    else:
        made = page.encode()
    path = Path(png or html)
    try:
        path.write_bytes(made)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}; name another file") from error
    output.say(f"{path}: {len(made):,} bytes")


def _show(found: Figures) -> None:
    output.say(f"Issue {found.issue}: {found.subject} ({found.status.state})")
    rows = [("audience", f"{found.status.audience:,}", "")]
    for state, count in found.counts.items():
        why = ", ".join(f"{times} {reason}" for reason, times in found.status.reasons.get(state, {}).items())
        if count or state in ("sent", "failed", "skipped"):
            rows.append((state, f"{count:,}", why))
    output.table(("copies", "readers", "why"), rows, empty="")
    output.say(f"Bounced later: {found.bounced.told('sent')}")
    output.say(f"Called it spam: {found.complained.told('sent')}")
    output.say(f"Left within a week: {found.left.told('sent')}")
    if not found.clicked.whole:
        output.say("Clicks are not counted by its lists; to count them: newsletter lists edit LIST --track-clicks")
    else:
        output.say(f"Followed a link: {found.clicked.told('whose clicks are counted')}")
        told = [f"{readers:,} of {_whose(by)}" for by, (readers, _) in found.clicks.items()]
        output.say(f"Copies with clicks: {', '.join(told)}")
    links = [
        (each.number, each.url, each.by[ClickBy.HUMAN], each.by[ClickBy.UNKNOWN], each.by[ClickBy.MACHINE])
        for each in found.links
        if any(each.by.values())
    ]
    if links:
        output.table(("link", "address", "people", "unknown", "machines"), links, empty="")
    if len(found.variants) > 1:
        subjects = [(each.number, each.subject, str(each.clicked), str(each.left)) for each in found.variants]
        output.table(("number", "subject", "followed a link", "left"), subjects, empty="")
    domains = [(each.domain, each.audience, each.sent, each.failed, each.bounced, each.clicked)
               for each in found.domains]  # fmt: skip
    output.table(("domain", "audience", "sent", "failed", "bounced", "followed a link"), domains, empty="")


def _whose(by: ClickBy) -> str:
    return {ClickBy.HUMAN: "people", ClickBy.MACHINE: "machines", ClickBy.UNKNOWN: "neither for certain"}[by]
