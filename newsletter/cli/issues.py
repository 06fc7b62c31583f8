"""`newsletter issues`."""

from typing import Annotated

import typer

from newsletter.cli import desk, editing, output, publishing, rechecking, reporting, shape, signing, waiving
from newsletter.cli.pause import Patience
from newsletter.delivery import controls, schedules, subject_tests
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.feedback.rates import Rate
from newsletter.issues import clearing, corrections, issues, reports, waivers
from newsletter.issues.content import Terms
from newsletter.issues.models import IssueState, Unmatched
from newsletter.rendering import press

app = shape.noun("issues")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the issues, newest first."""
    with desk.of(ctx).read() as session:
        found = issues.all(session)
    if as_json:
        output.emit([issue.as_json() for issue in found])
        return
    rows = [(each.id, each.state, each.subject, len(each.items), each.composed_by, each.sent_at) for each in found]
    columns = ("issue", "state", "subject", "items", "composed by", "sent")
    output.table(columns, rows, empty="No issues yet; newsletter compose")


@app.command()
def show(ctx: typer.Context, issue: desk.IssueNumber, as_json: desk.Json = False) -> None:
    """Show one issue: its words, its items, where it stands."""
    here = desk.of(ctx)
    with here.read() as session:
        found = issues.get(session, issue)
        waits, said = schedules.find(session, issue), reports.all(session, issue)
        carried, cleared = corrections.carried(session, issue), clearing.standing(session, issue)
        pardons = waivers.all(session, issue, now=here.now)
    if as_json:
        told = [report.as_json() for report in said]
        number = carried.id if carried else None
        output.emit({
            **found.as_json(), "schedule": waits.as_json() if waits else None, "reports": told, "correction": number,
            "waivers": pardons,
            "cleared": cleared.as_json() if cleared else None,
        })  # fmt: skip
        return
    output.say(f"Issue {found.id}{f' for {found.list}' if found.list else ''}: {found.subject} ({found.state})")
    for other in found.alternatives:
        output.say(f"Or subject: {other}")
    output.say(f"Preheader: {found.preheader}")
    for position, briefing in enumerate(found.items, start=1):
        output.say(f"  {position}. {briefing}")
    if carried:
        which = f"correction {carried.id} of {carried.briefing}"
        output.say(f"It carries {which}; see it: newsletter corrections show {carried.id}")
    if terms := _terms(found.terms):
        output.say(terms)
    output.say(f"Composed by {found.composed_by}, {found.composed_at:%Y-%m-%d %H:%M} UTC")
    if found.rendering:
        output.say(f"Rendering {found.rendering[:12]}, frozen {found.frozen_at:%Y-%m-%d %H:%M} UTC")
    if cleared:
        output.say(f"It is {cleared}")
    for report in said:
        output.say(f"The gate at the {report.step}: {report}")
    for each in pardons:
        void = "" if each.holds else " (void: the issue was changed)"
        output.say(f"{each.person} lets what {each.rule} warns of stand: {each.reason}{void}")
    if found.note:
        output.say(f"Note: {found.note}")
    if waits:
        output.say(f"It {waits}")
    output.say(issues.next_step(found))


app.command()(editing.edit)
app.command()(publishing.publish)
app.command()(waiving.waive)
signing.register(app)
reporting.register(app)


@app.command()
def freeze(ctx: typer.Context, issue: desk.IssueNumber, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Check an issue and fix its subject, HTML and text for good."""
    here = desk.of(ctx)
    here.may(as_, Role.EDITOR)
    here.look()
    rechecking.before(here, issue)
    with here.acting(as_, Role.EDITOR) as act:
        rendering = press.freeze(act.session, issue, here.settings, keyring=here.keyring, actor=act.who, now=act.now)
        found = issues.get(act.session, issue)
    if as_json:
        output.emit({"issue": issue, "state": "frozen", "rendering": rendering})
    else:
        clear = f"Somebody else clears it: newsletter issues clear {issue}"
        step = clear if here.settings.publication.clearance else issues.next_step(found)
        output.say(f"Issue {issue} is frozen as {rendering[:12]}. {step}")


@app.command()
def cancel(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    wait: Patience = 10,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Give an issue up, also on its way: who has it keeps it, and who waits gets nothing.

    Its briefings are free for another issue if nobody has a copy.
    """
    here = desk.of(ctx)
    who = here.may(as_, Role.EDITOR)
    done = controls.cancel_soon(here.engine, here.settings, issue, patience=wait, actor=who, clock=lambda: here.now)
    with here.read() as session:
        found = issues.get(session, issue)
    if as_json:
        output.emit({"issue": issue, "state": found.state, "asked": not done})
    elif not done:
        output.say(f"The sender of issue {issue} is asked to stop; see that it did: newsletter status {issue}")
    elif found.note:
        output.say(f"Issue {issue} is {found.note}")
    else:
        output.say(f"Issue {issue} is cancelled; its briefings are free for another issue")


@app.command()
def winner(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="Let this subject win, counted from 1.", min=1)
    ] = None,
    clicks: Annotated[bool, typer.Option("--clicks", help="Let the clicks so far decide now.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """See how the subjects on trial do, or say which has won; the rest of the readers gets the issue under that one."""
    here = desk.of(ctx)
    if number and clicks:
        raise UsageError(f"either the clicks decide, or you: newsletter issues winner {issue} {number}")
    if number or clicks:
        with here.acting(as_, Role.EDITOR, Role.SENDER) as act:
            if number:
                subject_tests.choose(act.session, issue, number - 1, actor=act.who, now=act.now)
            else:
                subject_tests.by_clicks(act.session, issue, actor=act.who, now=act.now)
    with here.read() as session:
        trial, scores = subject_tests.require(session, issue), subject_tests.scores(session, issue)
        paused = issues.get(session, issue).state is IssueState.PAUSED
    if as_json:
        output.emit({**trial.as_json(), "subjects": [score.as_json() for score in scores]})
        return
    rows = [(each.variant + 1, each.subject, str(Rate(each.clicked, each.sent))) for each in scores]
    output.table(("number", "subject", "followed a link"), rows, empty="")
    output.say(str(trial))
    if trial.winner is not None and paused:
        output.say(f"The rest gets it with the next newsletter deliver, or now: newsletter send {issue} --rest")


def _terms(terms: Terms) -> str:
    """Return how the issue differs from reader to reader, empty where it does not."""
    leads = "the lead item" if terms.leads == 1 else f"the first {terms.leads} items"
    others = leads if terms.unmatched is Unmatched.LEAD else "no copy"
    by_topic = f"items by topic, and {others} where none matches" if terms.by_topic else ""
    by_audience = "what a buyer should know by audience" if terms.by_audience else ""
    said = "; ".join(filter(None, (by_topic, by_audience)))
    return f"Differs by reader: {said}" if said else ""
