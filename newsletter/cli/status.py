"""`newsletter status`."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Annotated

import typer

from newsletter.cli import desk, onward, output, pulses, shape
from newsletter.delivery import report
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.pulse import Pulse
from newsletter.delivery.rehearsals import RehearsalView
from newsletter.delivery.report import Status
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.issues.models import IssueState
from newsletter.words import counted

app = shape.verb()


@app.command()
def status(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    who: Annotated[DeliveryState | None, typer.Option(help="List the readers whose copy is in this state.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Tell again each second, until nobody sends it.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Tell who has an issue, who has not, and why.

    Names of readers are for who sends and for admins.
    """
    here = desk.of(ctx)
    if watch and (who is not None or as_json):
        raise UsageError("--watch tells how a send goes on; leave out --who and --json")
    if watch:
        _watch(here, issue)
        return
    if who is not None:
        here.may(as_, Role.SENDER, Role.ADMIN)
    with here.read() as session:
        if who is None:
            found = report.status(session, issue)
        else:
            readers = report.who(session, issue, who)
    if who is None:
        output.emit(found.as_json()) if as_json else show(here, found)
    elif as_json:
        output.emit(readers)
    else:
        rows = [(each.email, each.reason, each.reply, each.attempts, each.due_at) for each in readers]
        output.table(("address", "reason", "reply", "attempts", "due"), rows, empty=f"Nobody's copy is {who}")


def _watch(here: desk.Desk, issue: int) -> None:
    """Draw how far a send is, from what its sender has recorded, and its counts at the end."""
    marks: deque[tuple[float, int]] = deque(maxlen=11)  # of the last ten seconds
    with pulses.shown() as draw:
        while True:
            with here.read() as session:
                found = report.status(session, issue)
            if found.state is not IssueState.SENDING or not found.worker:
                break
            marks.append((time.monotonic(), found.audience - found.waiting))
            if draw:
                draw(_pulse(found, marks))
            time.sleep(1)
    show(here, found)


def _pulse(status: Status, marks: Sequence[tuple[float, int]]) -> Pulse:
    (since, before), (now, accounted) = marks[0], marks[-1]
    rate = (accounted - before) / (now - since) if now > since else status.rate
    return Pulse(
        accounted=accounted, audience=status.audience, sent=status.sent, rate=rate,
        left=status.waiting / rate if rate else None, troubles=tuple(status.relays.values()),
    )  # fmt: skip


def show(here: desk.Desk, status: Status) -> None:
    """Print the counts of a send, each with its reasons."""
    if status.started is None:
        output.say(f"Issue {status.issue} is {status.state}; whom it goes to is decided when it is sent")
        if status.rehearsal:
            output.say(f"It had {status.rehearsal}, for {audience_of(status.rehearsal)}")
        if status.schedule:
            output.say(f"It {status.schedule}")
        return
    counts = status.as_json()
    words = ("sent", "skipped", "failed", "unknown", "deferred", "pending", "sending")
    rows = [("audience", status.audience, "")]
    for word in words:
        reasons = ", ".join(f"{count} {reason}" for reason, count in status.reasons.get(word, {}).items())
        if counts[word] or word in ("sent", "skipped", "failed"):
            rows.append((word, counts[word], reasons))
    output.say(f"Issue {status.issue} is {status.state}{_sender(status)}")
    output.table(("state", "readers", "why"), rows, empty="")
    if status.resent:
        copies = counted(status.resent, "copy was", "copies were")
        output.say(f"{copies} in flight when a sender died, and went out again under the same Message-ID")
    if status.rate:
        output.say(f"{status.rate:.{1 if status.rate < 10 else 0}f} messages/s")
    if status.note:
        output.say(status.note)
    if way := onward.told(here, status):
        output.say(way)
    for name, reason in status.relays.items():
        if reason != status.note:
            output.say(f"relay {name} was paused: {reason}")


def audience_of(rehearsal: RehearsalView) -> str:
    """Return for whom a dry run was; without a list it is of a correction."""
    return ", ".join([*rehearsal.lists, *rehearsal.segments]) or "those who have the briefing"


def _sender(status: Status) -> str:
    """Return who sends the issue, or what to do when nobody does."""
    if status.worker:
        return f", sent by {status.worker} now"
    if status.state is not IssueState.SENDING:
        return ""
    return f"; {'its sender died' if status.died else 'nobody sends it now'}; go on: newsletter send {status.issue}"
