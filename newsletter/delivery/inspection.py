"""Everything that is held against an issue: its approvals, the standards, the mail clients, the wire."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from newsletter.delivery import message as messages
from newsletter.delivery.reader import Reader
from newsletter.editorial import approvals, reports
from newsletter.editorial.gate import Finding, Severity
from newsletter.errors import BadInput, Refused, SettingsError, TemplateError
from newsletter.issues import contents
from newsletter.issues import reports as issue_reports
from newsletter.issues.content import IssueContent
from newsletter.issues.models import Step
from newsletter.rendering import checks, compiled, preview
from newsletter.rendering.fetching import Fetcher
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Examined:
    """An issue looked at: what was found so far, and what others can still be asked about.

    `rendered` and `message` are None and empty where the issue cannot be set, or no message can leave.
    """

    content: IssueContent
    findings: list[Finding]
    rendered: Rendered | None = None
    message: bytes = b""


def inspect(session: Session, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime) -> list[Finding]:
    """Return what blocks an issue and what an editor should look at, the blocking first; nobody else is asked."""
    return ordered(examine(session, issue_id, settings, keyring=keyring, now=now).findings)


def examine(session: Session, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime) -> Examined:
    """Return the issue with what is found in it, in the order of the rules."""
    content = contents.read(session, issue_id, now=now)
    found = issue_reports.run(session, content, Step.SEND, block=settings.check.block, now=now).findings
    findings = [*found]
    if not content.correction:  # readers have its briefing, whatever is thought of it by now
        findings = [*_approvals(session, content, now), *_standards(session, content, now), *found]
    try:
        whole = preview.current(session, issue_id, settings, keyring=keyring, now=now).whole()
    except TemplateError as error:
        return Examined(content=content, findings=[*findings, *checks.broken(str(error), settings)])
    findings += checks.check(content, whole, settings)
    try:
        message = specimen(whole, issue_id, settings, keyring=keyring, now=now)
    except (BadInput, SettingsError) as error:
        return Examined(content=content, findings=[*findings, _unsendable(str(error))], rendered=whole)
    findings += checks.check_message(message, settings)
    return Examined(content=content, findings=findings, rendered=whole, message=message)


def ask(examined: Examined, settings: Settings, *, fetcher: Fetcher | None = None) -> list[Finding]:
    """Return what others say of the issue: spamd, where the settings name one, and with a fetcher each link.

    It can take a while, and needs no database: nobody should wait for it in a transaction.
    """
    findings = checks.check_spam(examined.message, settings) if examined.message else []
    if fetcher and examined.rendered:
        findings += checks.check_online(examined.content, examined.rendered, settings, fetcher=fetcher)
    return findings


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, the blocking first."""
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def specimen(rendered: Rendered, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime) -> bytes:
    """Return the message as it would leave for a made-up reader, every part in it."""
    whole = rendered.whole()
    head = messages.masthead(settings, issue_id, subject=whole.subject, date=now, keyring=keyring)
    body = compiled.compile(whole.html, whole.text, boundary=f"issue-{issue_id}")
    reader = Reader(0, 0, preview.READER, 0, "sample", settings.publication.name)
    return messages.assemble(head, body, reader).message


def _unsendable(told: str) -> Finding:
    message, _, next_ = told.partition("; ")
    rule = next(rule for rule in checks.EVERY if rule.id == "email.headers")
    return Finding(
        rule=rule.id, severity=rule.severity, where="headers", message=message, next=next_ or rule.next, why=rule.why
    )


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
                    why="what is sent is what was approved",
                )
            )
    return found


def _standards(session: Session, content: IssueContent, now: datetime) -> list[Finding]:
    return [
        replace(finding, where=f"item {item.position}: {item.document.id}, {finding.where}".rstrip(", "))
        for item in content.items
        for finding in reports.at_issue(session, item.document.id, item.sha256, now=now)
    ]
