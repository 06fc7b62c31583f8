"""`newsletter send`."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.cli.status import show
from newsletter.delivery import planning, report, sending, trials
from newsletter.delivery.replies import Kind
from newsletter.delivery.report import Status
from newsletter.editorial import gate
from newsletter.errors import Blocked, PartlySent, Refused, RelayError, UsageError
from newsletter.issues import issues
from newsletter.rendering import inspection
from subscribers import audience

app = shape.verb()


@app.command()
def send(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    more: Annotated[list[str] | None, typer.Argument(metavar="ADDR", hidden=True)] = None,
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="LIST", help="To this list; may be given again.")
    ] = None,
    segments: Annotated[
        list[str] | None, typer.Option("--segment", metavar="SEGMENT", help="Only to who matches; may be given again.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(metavar="ADDR...", help="Only a test copy to these addresses.")
    ] = None,
    dry_run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Send nothing; write every message into this folder.")
    ] = None,
    yes: desk.Yes = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Send a frozen issue to lists and segments, or go on where an earlier send stopped.

    Who is on several of the lists gets one copy. Exits 4 while readers still wait for theirs.
    """
    here, who = desk.of(ctx), desk.actor(as_)
    if more and not test:
        raise UsageError(f"what is {more[0]}? a list is named with --list, a test address with --test")
    if test and (dry_run or lists or segments):
        raise UsageError("--test sends to the addresses that it names; leave out --list, --segment and --dry-run")
    if here.settings.dkim:
        output.note("note: [dkim] is set, and this version does not sign yet: sign at the relay")
    if test or dry_run is not None:
        _verified(here, issue)
    if test:
        _test(here, issue, [*test, *(more or [])], as_json=as_json)
    elif dry_run is not None:
        _dry_run(here, issue, dry_run, lists or [], segments or [], as_json=as_json)
    else:
        output.ask(_question(here, issue, lists or [], segments or []), yes=yes)
        status = _send(here, issue, lists or [], segments or [], who)
        output.emit(status.as_json()) if as_json else show(status)
        if status.waiting:
            raise PartlySent(f"issue {issue}: {status.note}")
        if status.failed and not status.sent:
            raise Refused(
                f"nobody got issue {issue}: all {status.failed} were refused; see why: newsletter status {issue} --who "
                "failed. If the relay was at fault, lift what it cost: newsletter suppressions list, then remove"
            )


def _question(here: desk.Desk, issue: int, lists: list[str], segments: list[str]) -> str:
    here.look()
    with here.read() as session:
        found = issues.get(session, issue)
        if found.state not in issues.SENDABLE:
            raise Refused(f"issue {issue} is {issues.standing(found.state)}. {issues.next_step(found)}")
        planned = planning.find(session, issue)
        if planned:  # its words were fixed and judged before the first copy left
            waiting = report.status(session, issue).waiting
            return f"Go on sending issue {issue}, {found.subject!r}: {waiting} of {planned.size} wait for it?"
        findings = inspection.inspect(session, issue, here.settings, keyring=here.keyring, now=here.now)
        blocking = gate.blocks(findings)
        if blocking:
            raise Blocked(f"issue {issue} cannot be sent; what blocks it:", blocking)
        if not lists:
            raise UsageError(f"whom should issue {issue} go to? newsletter send {issue} --list LIST")
        size = audience.size(session, lists=lists, segments=segments, now=here.now)
        to = " ".join([", ".join(lists), *(f"and segment {name}" for name in segments)])
        return f"Send issue {issue}, {found.subject!r}, to {size} reader{'' if size == 1 else 's'} of {to}?"


def _send(here: desk.Desk, issue: int, lists: list[str], segments: list[str], who: str) -> Status:
    with output.progress("sending") as progress:
        try:
            return sending.send(
                here.engine, here.settings, issue, keyring=here.keyring, lists=lists, segments=segments, actor=who,
                progress=progress,
            )  # fmt: skip
        except RelayError as error:
            with here.read() as session:
                status = report.status(session, issue)
            if status.sent:
                raise PartlySent(f"{error} ({status.sent} of {status.audience} have it)") from error
            raise


def _verified(here: desk.Desk, issue: int) -> None:
    """Refuse a trial of words that were approved once and are so no more."""
    here.look()
    with here.read() as session:
        if issues.get(session, issue).state not in issues.PUBLISHED:
            issues.verify(session, issue, now=here.now)


def _test(here: desk.Desk, issue: int, addresses: list[str], *, as_json: bool) -> None:
    with here.read() as session:
        results = trials.send(session, here.settings, issue, addresses, keyring=here.keyring, now=here.now)
    if as_json:
        output.emit([{"address": to, "outcome": outcome.kind, "reply": outcome.reply} for to, outcome in results])
    else:
        for to, outcome in results:
            output.say(f"{to}: {outcome.kind} ({outcome.reply})")
    if any(outcome.kind is not Kind.SENT for _, outcome in results):
        raise Refused("not every test copy was taken; the relay's words stand above")


def _dry_run(
    here: desk.Desk, issue: int, folder: Path, lists: list[str], segments: list[str], *, as_json: bool
) -> None:
    with here.read() as session:
        count = trials.write(
            session, here.settings, issue, folder, keyring=here.keyring, now=here.now, lists=lists, segments=segments
        )
    if as_json:
        output.emit({"issue": issue, "audience": count, "folder": folder})
    else:
        output.say(f"{count} messages in {folder}; nothing was sent")
