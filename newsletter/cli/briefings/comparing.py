"""`newsletter briefings diff`, `overlap`, `related`: a text beside its earlier self, its sources, and other texts."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.briefings.options import Id
from newsletter.editorial import briefings, changes, relations, research
from newsletter.editorial.claims import Unsupported
from newsletter.editorial.evidence import Evidence
from newsletter.editorial.overlap import Run
from newsletter.editorial.related import CUTOFF
from newsletter.errors import UsageError
from newsletter.words import counted


def register(app: typer.Typer) -> None:
    """Put the commands under the noun."""
    app.command()(diff)
    app.command()(overlap)
    app.command()(related)


def diff(
    ctx: typer.Context,
    id: Id,
    since: Annotated[
        str,
        typer.Option(
            help="`approval`, `revision` (the one before), or a revision's number; else the approval if there was one."
        ),
    ] = "",
    as_json: desk.Json = False,
) -> None:
    """Show what changed in a briefing's text, line by line, as its file stands."""
    with desk.of(ctx).glance(id) as session:
        if since.isdecimal() and len(since) < 10:
            found = changes.since_revision(session, id, int(since))
        elif since in ("", "approval", "revision"):
            by = {"": changes.since, "approval": changes.since_approval, "revision": changes.since_revision}
            found = by[since](session, id)
        else:
            raise UsageError(f"--since {since} is none of approval, revision, or a revision's number")
    if as_json:
        output.emit(found)
        return
    if found.approved_at:
        output.say(f"{found.approved_by} approved revision {found.before} on {found.approved_at:%Y-%m-%d %H:%M} UTC")
    for line in found.lines:
        output.say(line)
    if not found.lines:
        output.say(f"{id}: revision {found.after} says what revision {found.before} said")


def overlap(ctx: typer.Context, id: Id, as_json: desk.Json = False) -> None:
    """Lay what a briefing shares with its sources beside their words, and list what none of them says.

    The words are those that feeds brought of the pages which the briefing cites; how many there were is told.
    """
    here = desk.of(ctx)
    with here.glance(id) as session:
        seen = research.gather(session, briefings.get(session, id), now=here.now)
    if as_json:
        output.emit(_json(id, seen))
    elif seen.overlap is None:
        output.say(f"{id} names no source; add one to its front matter")
    else:
        _show(seen)


def _json(id: str, seen: Evidence) -> dict[str, object]:
    made = seen.overlap
    return {
        "briefing": id,
        "against": made.against if made else "",
        "words": made.words if made else 0,
        "longest": made.longest if made else 0,
        "coverage": round(made.coverage, 4) if made else 0.0,
        "sources": made.sources if made else (),
        "runs": made.runs if made else (),
        "alike": made.alike if made else (),
        "unsupported": seen.unsupported,
    }


def _show(seen: Evidence) -> None:
    made = seen.overlap
    assert made is not None
    output.say(f"{made.against[0].upper()}{made.against[1:]}")
    rows = [(each.source, each.name, each.words, "teaser" if each.teaser else "text") for each in made.sources]
    output.table(("source", "name", "words", "held"), rows, empty="")
    longest, of = counted(made.longest, "word"), counted(made.words, "word")
    output.say(f"\nLongest run {longest}; {made.coverage:.0%} of {of} stand in such runs\n")
    output.table(
        ("words", "in", "the briefing", "source", "the source"), map(_beside, made.runs), empty="Nothing shared"
    )
    if made.alike:
        output.say("")
        near = [(f"{each.share:.0%}", each.where, each.text, each.source) for each in made.alike]
        output.table(("alike", "in", "the sentence", "source"), near, empty="")
    if seen.unsupported:
        output.say("")
        output.table(
            ("no source held says", "in", "the words"), _claims(seen.unsupported), empty="All of it is in a source"
        )


def _beside(run: Run) -> tuple[object, ...]:
    words = f"{run.words}" if run.words == run.shared else f"{run.words} ({run.shared} with quotations)"
    there = f"{'… ' if run.before else ''}{run.before} »{run.there}« {run.after}{' …' if run.after else ''}"
    return words, run.where, run.text, run.source, there.strip()


def _claims(found: Unsupported) -> list[tuple[str, str, str]]:
    return [
        (kind.removesuffix("s"), claim.where, claim.text) for kind, claims in vars(found).items() for claim in claims
    ]


def related(
    ctx: typer.Context,
    id: Id,
    most: Annotated[int, typer.Option("--most", help="Show so many.", min=1, max=50)] = 3,
    cutoff: Annotated[
        float, typer.Option("--cutoff", help="From which cosine on two are near.", min=0.0, max=1.0)
    ] = CUTOFF,
    as_json: desk.Json = False,
) -> None:
    """Show which briefings are near one, by which words and topics, pinned ones first.

    Only those come that are approved or that readers have, and that may be read now.
    """
    here = desk.of(ctx)
    with here.glance(id) as session:
        document = briefings.get(session, id).document
        found = relations.of(session, {id: document}, limit=most, cutoff=cutoff, now=here.now)[id]
    if as_json:
        output.emit(found)
        return
    rows = [
        ("pinned" if each.pinned else f"{each.cosine:.2f}", each.briefing, each.title, each.topics, each.terms)
        for each in found
    ]
    columns = ("cosine", "briefing", "title", "topics in common", "words in common")
    output.table(columns, rows, empty=f"Nothing is near {id} (a cosine of {cutoff:.2f})")
