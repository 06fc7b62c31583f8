"""`newsletter briefings check`, `waive`, `report`: what the gate says."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.briefings.options import Id, report_json, show_report
from newsletter.editorial import briefings, reports, waivers
from newsletter.editorial.models import Role
from newsletter.errors import Blocked


def register(app: typer.Typer) -> None:
    """Put the commands under the noun."""
    app.command()(check)
    app.command()(waive)
    app.command()(report)


def check(ctx: typer.Context, id: Id, as_json: desk.Json = False) -> None:
    """Hold a briefing against the standards, its sources' words and what was sent; exits 1 when something blocks."""
    here = desk.of(ctx)
    with here.glance(id) as session:
        block, rights = here.settings.check.block, here.settings.rights
        found = reports.run(session, briefings.get(session, id), block=block, rights=rights, now=here.now)
    if as_json:
        output.emit(report_json(found))
    else:
        show_report(found)
    if found.blocking:
        raise Blocked(f"{id} cannot be approved as it stands; mend what blocks and check again")


def waive(
    ctx: typer.Context,
    id: Id,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule that warns, such as O1.")],
    reason: Annotated[str, typer.Option("--reason", help="Why its warnings may stand, for the record.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Let what a rule warns of in a briefing's exact text stand; any edit voids it.

    What blocks by itself cannot be waived; what blocks because [check] in newsletter.toml says so can.
    """
    here = desk.of(ctx)
    here.may(as_, Role.STANDARDS)
    here.look(id)
    with here.acting(as_, Role.STANDARDS) as act:
        settings = here.settings
        made = waivers.waive(
            act.session, id, rule, reason=reason, actor=act.who, solo=settings.publication.solo,
            block=settings.check.block, rights=settings.rights, now=act.now,
        )  # fmt: skip
    if as_json:
        output.emit(made)
    else:
        alone = " (solo: they had a hand in the text, and the record says so)" if made.solo else ""
        output.say(f"{made.person} lets what {rule} warns of in {id} stand{alone}, until the text changes")


def report(
    ctx: typer.Context,
    id: Id,
    number: Annotated[
        int, typer.Option("--number", help="Which one; `history` names them. Else the newest.", min=0, max=desk.LARGEST)
    ] = 0,
    as_json: desk.Json = False,
) -> None:
    """Show the gate's report that was kept when a briefing was submitted, approved or sent."""
    with desk.of(ctx).read() as session:
        found = reports.of(session, id, number) if number else reports.newest(session, id)
    if as_json:
        output.emit(report_json(found))
        return
    output.say(
        f"Report {found.id} on {id}, revision {found.revision}, {found.sha256[:12]}: made for {found.person} on "
        f"{found.at:%Y-%m-%d %H:%M} UTC by rules {found.rules}\n"
    )
    show_report(found)
