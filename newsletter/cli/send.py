"""`newsletter send`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.cli.status import show
from newsletter.delivery import audiences, differences, inspection, planning, rehearsals, report, sending, trials
from newsletter.delivery.audiences import Size
from newsletter.delivery.differences import Difference
from newsletter.delivery.planning import PlanView
from newsletter.delivery.replies import Kind
from newsletter.delivery.report import Status
from newsletter.editorial import gate
from newsletter.editorial.models import Role
from newsletter.errors import Blocked, PartlySent, Refused, RelayError, UsageError
from newsletter.issues import issues
from newsletter.rendering import press

app = shape.verb()

#: Who may see an issue go, to a few addresses or into a folder; the readers' copies are a sender's to give.
TRIES = (Role.SENDER, Role.EDITOR)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to go to whom, and who says so."""

    issue: int
    lists: list[str]
    segments: list[str]
    as_: str
    rehearsed: bool = False


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked before a send, and what it was asked from; an audience that is planned has no size of now."""

    text: str
    size: Size | None = None
    difference: Difference | None = None


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
    count: Annotated[bool, typer.Option("--count", help="A dry run without the messages: only count.")] = False,
    rehearsed: Annotated[
        bool, typer.Option("--rehearsed", help="Only to the very readers that the newest dry run counted; else refuse.")
    ] = False,
    yes: desk.Yes = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Send a frozen issue to lists and segments, or go on where an earlier send stopped.

    Who is on several of the lists gets one copy. A dry run is kept: the send says who is new since, and who is gone.
    Exits 4 while readers still wait for theirs.
    """
    here = desk.of(ctx)
    order = Order(issue=issue, lists=lists or [], segments=segments or [], as_=as_, rehearsed=rehearsed)
    if more and not test:
        raise UsageError(f"what is {more[0]}? a list is named with --list, a test address with --test")
    if test and (dry_run or count or lists or segments):
        raise UsageError("--test sends to the addresses that it names; leave out --list, --segment and the dry run")
    if here.settings.dkim:
        output.note("note: [dkim] is set, and this version does not sign yet: sign at the relay")
    if test:
        _test(here, order, [*test, *(more or [])], as_json=as_json)
    elif dry_run is not None or count:
        _dry_run(here, order, dry_run, as_json=as_json)
    else:
        _really(here, order, yes=yes, as_json=as_json)


def _really(here: desk.Desk, order: Order, *, yes: bool, as_json: bool) -> None:
    who = here.may(order.as_, Role.SENDER)
    question = _question(here, order)
    if question.difference:
        _name(question.difference, aloud=yes)
    output.ask(question.text, yes=yes)
    status = _send(here, order, who, question.size)
    if as_json:
        difference = question.difference.as_json() if question.difference is not None else None
        output.emit({**status.as_json(), "rehearsal": difference})
    else:
        show(status)
    if status.waiting:
        raise PartlySent(f"issue {order.issue}: {status.note}")
    if status.failed and not status.sent:
        raise Refused(
            f"nobody got issue {order.issue}: all {status.failed} were refused; see why: newsletter status "
            f"{order.issue} --who failed. If the relay was at fault, lift what it cost: newsletter suppressions list, "
            "then remove"
        )


def _question(here: desk.Desk, order: Order) -> Question:
    issue, terms = order.issue, {"lists": order.lists, "segments": order.segments}
    here.look()
    with here.read() as session:
        found = issues.get(session, issue)
        if found.state not in issues.SENDABLE:
            raise Refused(f"issue {issue} is {issues.standing(found.state)}. {issues.next_step(found)}")
        planned = planning.find(session, issue)
        if planned:  # its words were fixed and judged before the first copy left
            waiting = report.status(session, issue).waiting
            return Question(
                text=f"Go on sending issue {issue}, {found.subject!r}: {waiting} of {planned.size} wait for it?"
            )
        findings = inspection.inspect(session, issue, here.settings, keyring=here.keyring, now=here.now)
        blocking = gate.blocks(findings)
        if blocking:
            raise Blocked(f"issue {issue} cannot be sent; what blocks it:", blocking)
        if not order.lists:
            raise UsageError(f"whom should issue {issue} go to? newsletter send {issue} --list LIST")
        size = audiences.count(session, issue, **terms, now=here.now)
        difference = differences.compare(session, issue, **terms, now=here.now)
        other = rehearsals.find(session, issue)
    if other and difference is None:
        output.note(f"note: {other}, was for {', '.join([*other.lists, *other.segments])}, not for this audience")
    return Question(text=_text(order, found.subject, size, difference), size=size, difference=difference)


def _text(order: Order, subject: str, size: Size, difference: Difference | None) -> str:
    to = " ".join([", ".join(order.lists), *(f"and segment {name}" for name in order.segments)])
    parts = [
        f"Send issue {order.issue}, {subject!r}, to {size.readers} reader{'' if size.readers == 1 else 's'} of {to}"
    ]
    if size.held:
        parts.append(size.fewer)
    if difference is not None:
        parts.append(str(difference))
    return "; ".join(parts) + "?"


def _name(difference: Difference, *, aloud: bool) -> None:
    """Say who is new and who is gone; where nobody is asked, also how many."""
    if aloud:
        output.note(f"note: {difference}")
    known = difference.gone - difference.erased
    for word, readers, all_of in (
        ("new", difference.newcomers, difference.new),
        ("gone", difference.leavers, known),
    ):
        for each in readers:
            output.note(f"  {word}: {each.email}{f' ({each.reason})' if each.reason else ''}")
        if all_of > len(readers):
            output.note(f"  {word}: {all_of - len(readers)} more")
    if difference.erased:
        output.note(f"  gone: {difference.erased} erased")


def _send(here: desk.Desk, order: Order, who: str, asked: Size | None) -> Status:
    def tell(plan: PlanView) -> None:
        if plan.new and asked and plan.size != asked.audience:
            output.note(f"note: {plan.size} readers are planned; they were {asked.audience} a moment ago")

    with output.progress("sending") as progress:
        try:
            return sending.send(
                here.engine, here.settings, order.issue, keyring=here.keyring, lists=order.lists,
                segments=order.segments, rehearsed=order.rehearsed, actor=who, tell=tell, progress=progress,
            )  # fmt: skip
        except RelayError as error:
            with here.read() as session:
                status = report.status(session, order.issue)
            if status.sent:
                raise PartlySent(f"{error} ({status.sent} of {status.audience} have it)") from error
            raise


def _verified(here: desk.Desk, issue: int) -> None:
    """Refuse a trial of words that were approved once and are so no more."""
    here.look()
    with here.read() as session:
        if issues.get(session, issue).state not in issues.PUBLISHED:
            issues.verify(session, issue, now=here.now)


def _test(here: desk.Desk, order: Order, addresses: list[str], *, as_json: bool) -> None:
    here.may(order.as_, *TRIES)
    _verified(here, order.issue)
    with here.read() as session:
        results = trials.send(session, here.settings, order.issue, addresses, keyring=here.keyring, now=here.now)
    refused = sum(outcome.kind is not Kind.SENT for _, outcome in results)
    with here.acting(order.as_, *TRIES) as act:
        act.record("tested", "issue", order.issue, copies=len(results), refused=refused)
    if as_json:
        output.emit([{"address": to, "outcome": outcome.kind, "reply": outcome.reply} for to, outcome in results])
    else:
        for to, outcome in results:
            output.say(f"{to}: {outcome.kind} ({outcome.reply})")
    if refused:
        raise Refused("not every test copy was taken; the relay's words stand above")


def _dry_run(here: desk.Desk, order: Order, folder: Path | None, *, as_json: bool) -> None:
    here.may(order.as_, *TRIES)
    _verified(here, order.issue)
    terms = {"lists": order.lists, "segments": order.segments}
    if folder:
        trials.require_empty(folder)
    with here.acting(order.as_, *TRIES) as act:
        if folder:
            press.load(act.session, order.issue)
        size = trials.rehearse(act.session, order.issue, **terms, actor=act.who, now=act.now)
    written = 0
    if folder:
        with here.read() as session:
            keyring, now = here.keyring, act.now
            written = trials.write(session, here.settings, order.issue, folder, keyring=keyring, now=now, **terms)
    if as_json:
        output.emit({
            "issue": order.issue, "audience": size.readers, "skipped": size.held, "messages": written, "folder": folder,
        })  # fmt: skip
    else:
        held = f"; {size.fewer}" if size.held else ""
        readers = f"{size.readers} reader{'' if size.readers == 1 else 's'}"
        told = f"{written} messages in {folder}, for {readers}" if folder else f"{readers} would get it"
        output.say(f"{told}{held}; nothing was sent")
