"""`newsletter send`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, onward, output, pulses, rechecking, shape, trying
from newsletter.cli.status import audience_of, show
from newsletter.delivery import (
    audiences,
    differences,
    inspection,
    planning,
    rehearsals,
    report,
    rounds,
    schedules,
    sending,
)  # fmt: skip
from newsletter.delivery.audiences import Size
from newsletter.delivery.differences import Difference
from newsletter.delivery.models import Stop
from newsletter.delivery.planning import PlanView
from newsletter.delivery.report import Status
from newsletter.delivery.sending import Order
from newsletter.delivery.shares import Share
from newsletter.delivery.subject_tests import Decide
from newsletter.editorial import gate
from newsletter.editorial.models import Role
from newsletter.errors import Blocked, PartlySent, Refused, RelayError, UsageError
from newsletter.issues import clearing, issues
from newsletter.issues.issues import IssueView
from newsletter.issues.models import IssueKind
from newsletter.words import counted

app = shape.verb()

#: Whoever waits for an issue that is on its way.
ALL = Order()


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked before a send, and what it was asked from; an audience that is planned has no size of now."""

    text: str
    order: Order
    size: Size | None = None
    difference: Difference | None = None


@app.command()
def send(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="ADDR", help="With --test: more addresses for the test copy.")
    ] = None,
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="LIST", help="To this list; may be given again.")
    ] = None,
    segments: Annotated[
        list[str] | None, typer.Option("--segment", metavar="SEGMENT", help="Only to who matches; may be given again.")
    ] = None,
    at: Annotated[
        str, typer.Option(metavar="TIME", help='Begin then, by newsletter deliver: "2026-12-01 07:00 Europe/Berlin".')
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="So many messages now; the rest waits for --rest.")] = 0,
    sample: Annotated[
        str, typer.Option(metavar="SHARE", help="First to so much of the audience, by lot, such as 5%.")
    ] = "",
    winner: Annotated[Decide, typer.Option(help="Who says which subject of a sample won: its clicks, or you.")] = (
        Decide.HAND
    ),
    after: Annotated[float, typer.Option(metavar="HOURS", help="How long the clicks of a sample are counted.")] = 4,
    rest: Annotated[bool, typer.Option("--rest", help="To everybody whom a limit or a sample left.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the copies that a relay puts off are done.")] = False,
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
    Ctrl-C finishes what is on the wire; a second one stops at once. Exits 4 while readers still wait for theirs.
    """
    here = desk.of(ctx)
    share = Share(sample=_share(sample), limit=limit, rest=rest, decide=winner.value, hours=after)
    order = Order(lists=lists or (), segments=segments or (), rehearsed=rehearsed, share=share, wait=wait)
    if more and not test:
        raise UsageError(f"what is {more[0]}? a list is named with --list, a test address with --test")
    if test and (dry_run or count or lists or segments):
        raise UsageError("--test sends to the addresses that it names; leave out --list, --segment and the dry run")
    if sum(map(bool, (share.sample, limit, rest))) > 1 or (rest and at):
        raise UsageError("choose one of --sample, --limit and --rest; --rest goes on now, without --at")
    if test:
        trying.test(here, issue, [*test, *(more or [])], as_=as_, as_json=as_json)
    elif dry_run is not None or count:
        trying.dry_run(here, issue, order, dry_run, as_=as_, as_json=as_json)
    else:
        who = here.may(as_, Role.SENDER)
        question = question_of(here, issue, order, at)
        if question.difference:
            _name(question.difference, aloud=yes)
        output.ask(question.text, yes=yes)
        if at:
            _schedule(here, issue, question.order, at, who, as_json=as_json)
        else:
            proceed(here, issue, who, question.order, question=question, as_json=as_json)


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1) if text else 0.0
    except ValueError as error:
        raise UsageError(f"--sample {text} is no share; write 5% or 0.05") from error
    if text and not 0 < share < 1:
        raise UsageError(f"--sample {text} is no share of an audience; write 5% or 0.05")
    return share


def proceed(
    here: desk.Desk, issue: int, who: str, order: Order = ALL, *, question: Question | None = None, as_json: bool
) -> None:
    """Send an issue, or go on with it, and tell how it stands; what still waits is an error of its own."""
    status = _send(here, issue, order, who, question.size if question else None)
    if as_json:
        difference = question.difference if question else None
        output.emit({**status.as_json(), "rehearsal": difference.as_json() if difference is not None else None})
    else:
        show(here, status)
    if status.waiting:
        raise PartlySent(f"issue {issue}: {status.note}")
    if status.failed and not status.sent:
        raise Refused(
            f"nobody got issue {issue}: all {status.failed} were refused; see why: newsletter status "
            f"{issue} --who failed. If the relay was at fault, lift what it cost: newsletter suppressions list, "
            "then remove"
        )


def _schedule(here: desk.Desk, issue: int, order: Order, at: str, who: str, *, as_json: bool) -> None:
    moment, zone = schedules.parse(at, here.now)
    with here.acting(who, Role.SENDER) as act:
        schedules.add(act.session, issue, moment, zone=zone, terms=rounds.terms(order), actor=act.who, now=act.now)
        found = schedules.find(act.session, issue)
    assert found
    if as_json:
        output.emit(found.as_json())
    else:
        output.say(f"Issue {issue} {found}; see docs/schedules.md for how it is run")


def question_of(here: desk.Desk, issue: int, order: Order, at: str) -> Question:
    """Return what is asked before a send; Blocked where anything keeps the issue back."""
    here.look()
    rechecking.before(here, issue)
    with here.read() as session:
        found = issues.get(session, issue)
        if found.state not in issues.SENDABLE:
            raise Refused(f"issue {issue} is {issues.standing(found.state)}. {issues.next_step(found)}")
        planned = planning.find(session, issue)
        if planned:  # its words were fixed and judged before the first copy left
            waiting = report.status(session, issue).waiting
            text = f"Go on sending issue {issue}, {found.subject!r}: {waiting} of {planned.size} wait for it?"
            return Question(text=text, order=order)
        if here.settings.publication.clearance:
            clearing.require(session, issue)
        order = replace(order, lists=issues.lists_of(session, issue, order.lists))
        findings = inspection.inspect(session, issue, here.settings, keyring=here.keyring, now=here.now)
        blocking = gate.blocks(findings)
        if blocking:
            raise Blocked(f"issue {issue} cannot be sent; what blocks it:", blocking)
        if not order.lists and found.kind is IssueKind.DIGEST:
            raise UsageError(f"whom should issue {issue} go to? newsletter send {issue} --list LIST")
        terms = {"lists": order.lists, "segments": order.segments}
        size = audiences.count(session, issue, **terms, now=here.now)
        difference = differences.compare(session, issue, **terms, now=here.now)
        other = rehearsals.find(session, issue)
    if at:
        schedules.parse(at, here.now)  # a moment that is none is refused before anything is asked
    if other and difference is None:
        same = other.is_for(order.lists, order.segments)  # a correction's: there is no list to compare readers on
        now = f"and it is {counted(size.readers, 'reader')} now" if same else "not for this audience"
        output.note(f"note: {other}, was for {audience_of(other)}, {now}")
    return Question(text=_text(found, order, at, size, difference), order=order, size=size, difference=difference)


def _text(issue: IssueView, order: Order, at: str, size: Size, difference: Difference | None) -> str:
    to = " ".join([", ".join(order.lists), *(f"and segment {name}" for name in order.segments)])
    readers = counted(size.readers, "reader")
    whose = f"of {to}" if order.lists else "who had the briefing"
    parts = [f"Send issue {issue.id}, {issue.subject!r}, to {readers} {whose}"]
    if order.share.sample:
        parts.append(f"first to {order.share.sample:.2%} of them, by lot")
    if order.share.limit:
        parts.append(f"no more than {order.share.limit} now")
    if at:
        parts.append(f"at {at}")
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


def _send(here: desk.Desk, issue: int, order: Order, who: str, asked: Size | None) -> Status:
    def tell(plan: PlanView) -> None:
        if plan.new and asked and plan.size != asked.audience:
            planned = counted(plan.size, "reader is", "readers are")
            output.note(f"note: {planned} planned; a moment ago it was {asked.audience:,}")

    with pulses.shown() as progress:
        try:
            return sending.send(
                here.engine, here.settings, issue, order, keyring=here.keyring, actor=who, tell=tell, progress=progress
            )
        except RelayError as error:
            with here.read() as session:
                status, way = report.status(session, issue), onward.command(session, issue)
            words = str(error)
            if status.stop is not Stop.BREAKER:
                words = onward.mend(error, f"go on: {way}" if status.started else "run the same command again")
            if status.sent:
                raise PartlySent(f"{words} ({status.sent} of {status.audience} have it)") from error
            raise RelayError(words, temporary=error.temporary) from error
