"""`newsletter corrections`."""

from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from newsletter.cli import desk, output, shape, trying
from newsletter.cli import send as sends
from newsletter.delivery import holders, report
from newsletter.delivery.report import Status
from newsletter.editorial.models import Role
from newsletter.errors import Refused, UsageError
from newsletter.issues import corrections
from newsletter.issues.corrections import CorrectionView
from newsletter.issues.models import CorrectionKind, CorrectionState
from newsletter.rendering import press, preview

app = shape.noun("corrections")

Number = Annotated[int, typer.Argument(metavar="CORRECTION", help="The correction's number.", min=1, max=desk.LARGEST)]
#: Who may write a correction and who may say yes to it; what was wrong and what is withdrawn is for standards to say.
WRITERS = (Role.EDITOR, Role.STANDARDS)
_GRAVE = (CorrectionKind.CORRECTION, CorrectionKind.KILL)


@app.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[CorrectionState | None, typer.Option(help="Only those in this state.")] = None,
    as_json: desk.Json = False,
) -> None:
    """List the corrections, newest first."""
    with desk.of(ctx).read() as session:
        found = corrections.all(session, state=state)
        sends_of = {each.id: _send_of(session, each) for each in found}
    if as_json:
        output.emit([{**each.as_json(), **_counts(sends_of[each.id])} for each in found])
        return
    rows = [(each.id, each.kind, each.state, each.briefing, _words(each), each.hands[0], each.at) for each in found]
    columns = ("correction", "kind", "state", "briefing", "what it says", "by", "written")
    output.table(columns, rows, empty="No corrections; when one is due: newsletter corrections draft BRIEFING")
    for each in found:
        if status := sends_of[each.id]:
            output.say(_on_its_way(each, status))


def _words(found: CorrectionView) -> str:
    return f"{found.wrong} -> {found.right}" if found.right else found.wrong


def _send_of(session: Session, found: CorrectionView) -> Status | None:
    """Return how the send of a correction stands that is on its way, None for any other."""
    if found.state is not CorrectionState.SENDING or found.issue is None:
        return None
    return report.status(session, found.issue)


def _counts(status: Status | None) -> dict[str, int | None]:
    return {"sent": status.sent if status else None, "audience": status.audience if status else None}


def _on_its_way(found: CorrectionView, status: Status) -> str:
    have = f"{status.sent} of {status.audience} have it"
    return f"Correction {found.id} is on its way: {have}. {corrections.next_step(found)}"


@app.command()
def show(
    ctx: typer.Context,
    correction: Number,
    text: Annotated[bool, typer.Option("--text", help="As the plain text that readers get.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the HTML that readers get there.")] = None,
    as_json: desk.Json = False,
) -> None:
    """Show a correction: its words, where it stands, whom it goes to, and the message as its readers get it."""
    here = desk.of(ctx)
    with here.read() as session:
        found = corrections.get(session, correction)
        told, status = holders.count(session, found.briefing), _send_of(session, found)
        rendered = None
        if text or html:
            links = press.links(here.settings, found.issue or 0, keyring=here.keyring)
            content = corrections.content(session, found, found.issue or 0)
            made = press.render(content, here.settings, links, dated=here.now.date())
            rendered = preview.filled(made, here.settings, keyring=here.keyring)
    if rendered and html:
        _write(html, rendered.html)
    if as_json:
        readers = {"readers": told.readers, "doubtful": told.doubtful, "gone": told.gone}
        output.emit({**found.as_json(), **readers, **_counts(status)})
    elif rendered and text:
        output.write(rendered.text)
    else:
        _show(found, told, status)


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, "utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}; name another file") from error


def _show(found: CorrectionView, told: holders.Holders, status: Status | None) -> None:
    output.say(f"Correction {found.id} of {found.briefing}, {found.title!r}: {found.kind}, {found.state}")
    output.say(f"{found.label}: {found.wrong}")
    if found.right:
        output.say(found.right)
    output.say(f"Written by {', '.join(found.hands)}, {found.at:%Y-%m-%d %H:%M} UTC")
    if found.approved_at:
        solo = " (solo: they wrote it too)" if found.solo else ""
        output.say(f"Approved by {found.approved_by}{solo}, {found.approved_at:%Y-%m-%d %H:%M} UTC")
    if found.issue:
        output.say(f"It goes out as issue {found.issue}; see it: newsletter preview {found.issue}")
    output.say(str(told)[0].upper() + str(told)[1:])
    output.say(_on_its_way(found, status) if status else corrections.next_step(found))


@app.command()
def draft(
    ctx: typer.Context,
    briefing: Annotated[str, typer.Argument(metavar="BRIEFING", help="The briefing that readers have.")],
    wrong: Annotated[str, typer.Option("--wrong", help="What was wrong, in the words that readers get.")],
    right: Annotated[str, typer.Option("--right", help="What is right.")] = "",
    kind: Annotated[CorrectionKind, typer.Option(help="What it is.")] = CorrectionKind.CORRECTION,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Write down what readers of a briefing are to be told; somebody else approves it.

    From now on the briefing counts as corrected, or as killed with --kind kill, which withdraws it at once.
    """
    roles = (Role.STANDARDS,) if kind in _GRAVE else WRITERS
    with desk.of(ctx).acting(as_, *roles) as act:
        made = corrections.draft(act.session, briefing, kind=kind, wrong=wrong, right=right, actor=act.who, now=act.now)
    _tell(made, as_json=as_json)


@app.command()
def edit(
    ctx: typer.Context,
    correction: Number,
    wrong: Annotated[str | None, typer.Option("--wrong", help="What was wrong.")] = None,
    right: Annotated[str | None, typer.Option("--right", help="What is right; empty takes it away.")] = None,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Change the words of a correction that was not sent; an approval of the old ones is void."""
    if wrong is None and right is None:
        raise UsageError(f"what is to change? newsletter corrections edit {correction} --wrong WORDS --right WORDS")
    with desk.of(ctx).acting(as_, *WRITERS) as act:
        made = corrections.edit(act.session, correction, wrong=wrong, right=right, actor=act.who, now=act.now)
    _tell(made, as_json=as_json)


@app.command()
def approve(
    ctx: typer.Context,
    correction: Number,
    page_only: Annotated[
        bool, typer.Option("--page-only", help="Put it on the pages, and tell nobody by mail.")
    ] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say yes to a correction that somebody else wrote: it stands on the pages now, and its message is fixed."""
    here = desk.of(ctx)
    with here.acting(as_, *WRITERS) as act:
        solo = here.settings.publication.solo
        made = corrections.approve(
            act.session, correction, by_mail=not page_only, solo=solo, actor=act.who, now=act.now
        )
        if made.issue:
            press.freeze(act.session, made.issue, here.settings, keyring=here.keyring, actor=act.who, now=act.now)
    _tell(made, as_json=as_json)


@app.command()
def withdraw(
    ctx: typer.Context,
    correction: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Give up a correction that was not sent; the pages show it no more."""
    with desk.of(ctx).acting(as_, *WRITERS) as act:
        made = corrections.withdraw(act.session, correction, reason=reason, actor=act.who, now=act.now)
    _tell(made, as_json=as_json)


@app.command()
def send(
    ctx: typer.Context,
    correction: Number,
    test: Annotated[
        list[str] | None, typer.Option(metavar="ADDR", help="Only a test copy to this address; may be given again.")
    ] = None,
    dry_run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Send nothing; write every message into this folder.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Send nothing; only count.")] = False,
    yes: desk.Yes = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Send an approved correction to those who have the briefing, each once, or go on where an earlier send stopped.

    Whoever left the list that brought it, or must not be mailed, gets nothing. Exits 4 while readers still wait.
    """
    here, tries = desk.of(ctx), bool(test) or dry_run is not None or count
    who = here.may(as_, *(trying.TRIES if tries else (Role.SENDER,)))
    number = _issue(here, correction, who)
    if test:
        trying.test(here, number, test, as_=as_, as_json=as_json)
        return
    with here.read() as session:
        output.note(f"note: {holders.count(session, corrections.get(session, correction).briefing)}")
    if tries:
        trying.dry_run(here, number, sends.ALL, dry_run, as_=as_, as_json=as_json)
        return
    question = sends.question_of(here, number, sends.ALL, "")
    output.ask(question.text, yes=yes)
    sends.proceed(here, number, who, question=question, as_json=as_json)


def _issue(here: desk.Desk, correction: int, who: str) -> int:
    """Return the issue that carries a correction; one that was cancelled is made and fixed anew."""
    with here.write() as session:
        before = corrections.get(session, correction).issue
        number = corrections.issue(session, correction, actor=who, now=here.now)
        if number != before:
            press.freeze(session, number, here.settings, keyring=here.keyring, actor=who, now=here.now)
    return number


def _tell(made: CorrectionView, *, as_json: bool) -> None:
    if as_json:
        output.emit(made.as_json())
    else:
        output.say(f"Correction {made.id} of {made.briefing} is {made.state}. {corrections.next_step(made)}")
