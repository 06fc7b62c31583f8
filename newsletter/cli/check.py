"""`newsletter check`."""

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial import gate
from newsletter.errors import Blocked
from newsletter.rendering import inspection

app = shape.verb()


@app.command()
def check(ctx: typer.Context, issue: desk.IssueNumber, as_json: desk.Json = False) -> None:
    """Hold an issue against its approvals, the standards and the mail clients; exits 1 when something blocks."""
    here = desk.of(ctx)
    with here.glance() as session:
        findings = inspection.inspect(session, issue, here.settings, keyring=here.keyring, now=here.now)
    blocking = gate.blocks(findings)
    if as_json:
        output.emit({"issue": issue, "findings": findings, "blocked": bool(blocking)})
    else:
        output.findings(findings, empty=f"Issue {issue}: nothing to say against it")
    if blocking:
        raise Blocked(f"issue {issue} cannot go out as it stands; mend what blocks, then check again")
