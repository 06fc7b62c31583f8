"""`newsletter segments`."""

import hashlib
import time
from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.errors import UsageError
from newsletter.words import counted
from subscribers import segments
from subscribers.errors import BadCondition

app = shape.noun("segments")

Name = Annotated[str, typer.Argument(help="The segment's name.")]
Text = Annotated[str, typer.Argument(help="Such as: country = 'DE' and topics has 'energy'")]


@app.command()
def create(ctx: typer.Context, name: Name, condition: Text, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Name a condition, and say how many match it now."""
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        segments.create(act.session, name, condition, now=act.now)
        _keep(act, "created", name, condition, as_json=as_json)


@app.command()
def edit(ctx: typer.Context, name: Name, condition: Text, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Give a segment another condition, and say how many match it now."""
    here = desk.of(ctx)
    with here.acting(as_, Role.ADMIN) as act:
        segments.edit(act.session, name, condition, now=act.now)
        _keep(act, "changed", name, condition, as_json=as_json)


def _keep(act: desk.Act, action: str, name: str, condition: str, *, as_json: bool) -> None:
    # A condition may hold an address or a name, and nothing is erased from the trail: its hash says which it was.
    sha256 = hashlib.sha256(condition.strip().encode()).hexdigest()
    act.record(action, "segment", name, sha256=sha256)
    understood = segments.read(act.session, name, now=act.now)
    count = segments.matching(act.session, understood)
    _doubt(understood.doubts)
    if as_json:
        output.emit({"segment": name, "condition": condition.strip(), "subscribers": count})
    else:
        output.say(f"{name}: {counted(count, 'subscriber matches', 'subscribers match')} now")


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the segments and how many match each now."""
    here = desk.of(ctx)
    with here.read() as session:
        found = [(each, *_count(session, each.name, here.now)) for each in segments.all(session)]
    for _, _, error in found:
        if error:
            output.note(f"warning: {error}")
    if as_json:
        output.emit(
            [
                {"segment": each.name, "condition": each.condition, "subscribers": count, "error": error}
                for each, count, error in found
            ]
        )
        return
    rows = [(each.name, count, each.condition) for each, count, _ in found]
    output.table(("segment", "match", "condition"), rows, empty="No segments yet; newsletter segments create NAME ...")


def _count(session: Session, name: str, now: datetime) -> tuple[int | None, str]:
    try:
        return segments.count(session, name, now), ""
    except BadCondition as error:
        return None, str(error)


@app.command()
def show(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Show a segment's condition."""
    with desk.of(ctx).read() as session:
        found = segments.get(session, name)
    if as_json:
        output.emit({"segment": found.name, "condition": found.condition, "created_at": found.created_at})
    else:
        output.say(f"{found.name}, since {found.created_at:%Y-%m-%d}: {found.condition}")


@app.command("test")
def test_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The segment's name.")] = "",
    condition: Annotated[str, typer.Option(help="Test this condition instead, before it is anybody's.")] = "",
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say how many match a segment now, how long that took, and who are the first ten."""
    if bool(name) == bool(condition):
        raise UsageError("name a segment, or give --condition; one of the two")
    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        text = condition or segments.get(session, name).condition
        begun = time.perf_counter()
        read = segments.understand if condition else segments.read
        understood = read(session, condition or name, now=here.now)
        count = segments.matching(session, understood)
        seconds = time.perf_counter() - begun
        sample = [email for _, email in segments.page(session, understood, limit=10)]
    _doubt(understood.doubts)
    if as_json:
        output.emit(
            {"segment": name or None, "condition": text, "subscribers": count, "seconds": round(seconds, 4),
             "sample": sample}
        )  # fmt: skip
    else:
        match = counted(count, "subscriber matches", "subscribers match")
        output.say(f"{name or 'the condition'}: {match} now, found in {seconds * 1000:.0f} ms")
        output.table(("for example",), [(address,) for address in sample], empty="Nobody")


@app.command()
def explain(
    ctx: typer.Context,
    name: Name,
    email: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say for one person which part of a segment holds and which does not, down to the smallest."""
    from subscribers import explaining

    here = desk.of(ctx)
    with here.seeing(as_, Role.ADMIN) as session:
        whole = explaining.explain(session, name, email, now=here.now)
    parts = whole.parts if whole.joined == "and" else (whole,)
    if as_json:
        output.emit({"segment": name, "subscriber": email, "matches": whole.holds, "parts": parts})
        return
    output.say(f"{email} is {'in' if whole.holds else 'not in'} {name}")
    rows = [row for part in parts for row in explaining.rows(part)]
    output.table(("holds", "part"), [("yes" if holds else "no", text) for holds, text in rows], empty="")


@app.command()
def delete(ctx: typer.Context, name: Name, as_: desk.Actor = "", as_json: desk.Json = False) -> None:
    """Forget a segment; subscribers stay as they are."""
    with desk.of(ctx).acting(as_, Role.ADMIN) as act:
        segments.delete(act.session, name)
        act.record("deleted", "segment", name)
    if as_json:
        output.emit({"segment": name, "deleted": True})
    else:
        output.say(f"{name} is gone")


def _doubt(doubts: tuple[str, ...]) -> None:
    for doubt in doubts:
        output.note(f"note: {doubt}")
