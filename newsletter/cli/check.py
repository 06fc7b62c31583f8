"""`newsletter check`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import inspection
from newsletter.editorial import gate
from newsletter.errors import Blocked
from newsletter.rendering.fetching import Fetcher

app = shape.verb()


@app.command()
def check(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    links: Annotated[
        bool, typer.Option("--links", help="Ask each link and image whether it answers, over the network.")
    ] = False,
    as_json: desk.Json = False,
) -> None:
    """Hold an issue against its approvals, the standards and the mail clients; exits 1 when something blocks.

    The rules are listed in docs/checks.md. spamd is asked where [check] in newsletter.toml names one.
    """
    here = desk.of(ctx)
    with here.glance() as session:
        examined = inspection.examine(session, issue, here.settings, keyring=here.keyring, now=here.now)
    with output.progress("asking links") as tell:
        asked = inspection.ask(examined, here.settings, fetcher=Fetcher(tell=tell) if links else None)
    findings = inspection.ordered([*examined.findings, *asked])
    blocking = gate.blocks(findings)
    if as_json:
        output.emit({"issue": issue, "findings": findings, "blocked": bool(blocking)})
    else:
        output.findings(findings, empty=f"Issue {issue}: nothing to say against it")
        for each in findings:
            if each.waived:
                output.say(f"{each.rule} on {each.where} is waived by {each.waived}")
    if blocking:
        raise Blocked(f"issue {issue} cannot go out as it stands; mend what blocks, then check again")
