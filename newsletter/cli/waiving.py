"""`newsletter issues waive`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.editorial.models import Role
from newsletter.issues import waivers


def waive(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule on issues that warns, such as M1.")],
    reason: Annotated[str, typer.Option("--reason", help="Why its warnings may stand, for the record.")],
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Let what a rule warns of in an issue as it reads stand; any change of its items or words voids it.

    What never warns cannot be waived; a warning that blocks, here or by [check] in newsletter.toml, can.
    """
    here = desk.of(ctx)
    with here.acting(as_, Role.STANDARDS) as act:
        made = waivers.waive(
            act.session, issue, rule, reason=reason, actor=act.who, solo=here.settings.publication.solo, now=act.now
        )
    if as_json:
        output.emit(made)
    else:
        alone = " (solo: they had a hand in the issue, and the record says so)" if made.solo else ""
        output.say(f"{made.person} lets what {rule} warns of in issue {issue} stand{alone}, until the issue changes")
