"""What the commands about briefings share."""

from typing import Annotated

import typer

from newsletter.cli import output
from newsletter.editorial import briefings, gate
from newsletter.editorial.reports import Report
from newsletter.words import counted

Id = Annotated[str, typer.Argument(metavar="ID", help="The briefing's stable word.")]


def standing_json(standing: briefings.Standing) -> dict[str, object]:
    """Return where a briefing stands in the words of the command line's JSON."""
    return {
        "briefing": standing.id, "state": standing.state, "title": standing.title, "author": standing.author,
        "revision": standing.revision, "sha256": standing.sha256, "approved_by": list(standing.approved_by),
        "approved_sha256": standing.approved_sha256, "changed_at": standing.changed_at,
    }  # fmt: skip


def report_json(report: Report) -> dict[str, object]:
    """Return a report of the gate in the words of the command line's JSON."""
    told = {name: value for name, value in vars(report).items() if name != "id"}
    return {"report": report.id, **told, "against": report.against, "blocked": bool(report.blocking)}


def show_report(report: Report) -> None:
    """Print what the gate found, and with how much it could compare."""
    output.findings(report.findings, empty=f"{report.briefing}: nothing to say against it")
    for finding in report.findings:
        if finding.waived:
            output.say(f"{finding.rule} on {finding.where} is waived by {finding.waived}")
    if not any(finding.rule == "O0" for finding in report.findings):
        output.say(f"{report.against[0].upper()}{report.against[1:]}")


def outcome(report: Report) -> str:
    """Return how a text did before the gate, in a few words."""
    return f"{counted(len(gate.warns(report.findings)), 'warning')}, {report.against}"
