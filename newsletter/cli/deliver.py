"""`newsletter deliver`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer

from newsletter.cli import desk, output, rechecking, shape
from newsletter.delivery import letterbox, recurring, report, rounds
from newsletter.delivery.editions import EditionView
from newsletter.delivery.report import Status
from newsletter.delivery.rounds import Due, Round
from newsletter.delivery.schedules import ScheduleView
from newsletter.delivery.sending import utc_now
from newsletter.errors import NewsletterError, PartlySent, RelayError
from newsletter.feedback import webhooks

app = shape.verb()


@dataclass(frozen=True, kw_only=True)
class Done:
    """How an issue stands that was due; `error` says why it could not go on."""

    due: Due
    status: Status
    error: NewsletterError | None

    @property
    def refused(self) -> bool:
        """Return whether a person has something to mend: a relay's trouble leaves its readers waiting, and no more."""
        return self.error is not None and not isinstance(self.error, RelayError)

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {
            "issue": self.due.issue, "why": self.due.why, "state": self.status.state, "sent": self.status.sent,
            "waiting": self.status.waiting, "error": str(self.error or ""),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What a pass did beside sending issues."""

    letters: letterbox.Tally
    notices: webhooks.Tally
    made: list[EditionView]


@app.command()
def deliver(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """Send what is due now, once: scheduled issues, trials that have a winner, what a relay put off. For cron.

    First the recurring issues that are due are composed, as [[schedule]] in newsletter.toml says.

    What a person paused stays paused. Exits 4 while readers of what it sent still wait, 1 when an issue cannot go on.
    """
    here = desk.of(ctx)
    here.look()
    made = recurring.run(here.engine, here.settings, keyring=here.keyring, now=here.now)
    for edition in made:
        output.note(f"note: {edition}")
    letters = letterbox.send(here.engine, here.settings, clock=utc_now)
    with here.write() as session:
        found = rounds.look(session, here.settings, now=here.now)
    for late in found.missed:
        output.note(f"note: issue {late.issue} {late}")
    busy = list(found.busy)
    done = [each for due in found.due if (each := _take_up(here, due, busy))]
    hooks = webhooks.deliver(here.engine, here.settings, clock=utc_now)  # last: it tells what was sent now, too
    _tell(found, done, busy, _Beside(letters=letters, notices=hooks, made=made), as_json=as_json)
    _end(done, found.held)


def _take_up(here: desk.Desk, due: Due, busy: list[int]) -> Done | None:
    """Send one issue, if that is still to be; what goes wrong with it must not keep the next from its readers."""
    error = None
    try:
        rechecking.before(here, due.issue)
        status = rounds.take_up(here.engine, here.settings, due, keyring=here.keyring)
    except NewsletterError as problem:
        with here.read() as session:
            status, error = report.status(session, due.issue), problem
    if status is None:
        with here.read() as session:
            if report.status(session, due.issue).worker:
                busy.append(due.issue)
        return None
    return Done(due=due, status=status, error=error)


def _tell(found: Round, done: list[Done], busy: list[int], beside: _Beside, *, as_json: bool) -> None:
    if as_json:
        missed = [each.issue for each in found.missed]
        issues = [each.as_json() for each in done]
        output.emit({
            "issues": issues, "busy": busy, "missed": missed, "held": [each.issue for each in found.held],
            "editions": [each.as_json() for each in beside.made], "letters": vars(beside.letters),
            "webhooks": vars(beside.notices),
        })  # fmt: skip
        return
    if beside.letters.sent or beside.letters.waiting:
        output.say(f"Letters that ask to confirm: {beside.letters.sent} sent, {beside.letters.waiting} waiting")
    if beside.notices.told or beside.notices.waiting:
        output.say(f"Notices to webhooks: {beside.notices.told} told, {beside.notices.waiting} waiting")
    rows = [(d.due.issue, d.due.why, d.status.state, d.status.sent, d.status.waiting, d.status.note) for d in done]
    if rows or not busy:
        output.table(("issue", "why", "state", "sent", "waiting", "note"), rows, empty="Nothing is due")
    for issue in busy:
        output.say(f"Issue {issue} is being sent already; watch it: newsletter status {issue}")


def _end(done: list[Done], held: Sequence[ScheduleView]) -> None:
    for waits in held:
        output.note(
            f"error: issue {waits.issue} was to begin {waits.local}, and nobody has cleared it; it goes out when "
            f"somebody does: newsletter issues clear {waits.issue}"
        )
    for each in done:
        if each.error:
            output.note(f"error: {each.error}")
    refused = [str(each.due.issue) for each in done if each.refused] + [str(each.issue) for each in held]
    if refused:
        raise NewsletterError(f"to mend before they can go on: issue {', '.join(refused)}; the reasons stand above")
    waiting = [each for each in done if each.status.waiting]
    if waiting:
        told = ", ".join(f"{each.status.waiting} of issue {each.due.issue}" for each in waiting)
        raise PartlySent(f"readers still wait: {told}; the next pass goes on")
