"""Everything that is held against an issue: its approvals, the standards, the mail clients."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from newsletter.editorial import approvals, gate
from newsletter.editorial.gate import Finding, Severity
from newsletter.errors import Refused
from newsletter.issues import contents
from newsletter.issues.content import IssueContent
from newsletter.rendering import checks, preview
from newsletter.settings import Settings
from subscribers.tokens import Keyring


def inspect(session: Session, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime) -> list[Finding]:
    """Return what blocks an issue and what an editor should look at, the blocking first."""
    content = contents.read(session, issue_id, now=now)
    rendered = preview.current(session, issue_id, settings, keyring=keyring, now=now)
    findings = [
        *_approvals(session, content, now),
        *_standards(content, now),
        *checks.check(content, rendered, settings),
    ]
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def _approvals(session: Session, content: IssueContent, now: datetime) -> list[Finding]:
    found = []
    for item in content.items:
        try:
            approvals.require(session, item.document.id, sha256=item.sha256, now=now)
        except Refused as refusal:
            found.append(
                Finding(
                    rule="P1",
                    severity=Severity.BLOCK,
                    where=f"item {item.position}: {item.document.id}",
                    message=str(refusal),
                    next="approve the text as it stands, and compose again",
                )
            )
    return found


def _standards(content: IssueContent, now: datetime) -> list[Finding]:
    return [
        replace(finding, where=f"item {item.position}: {item.document.id}, {finding.where}".rstrip(", "))
        for item in content.items
        for finding in gate.check(item.document, now=now)
    ]
