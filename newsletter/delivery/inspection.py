"""Everything that is held against an issue: its approvals, the standards, the mail clients, the wire."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from newsletter.delivery import message
from newsletter.delivery.reader import Reader
from newsletter.editorial import approvals, gate
from newsletter.editorial.gate import Finding, Severity
from newsletter.errors import BadInput, Refused, SettingsError, TemplateError
from newsletter.issues import contents
from newsletter.issues.content import IssueContent
from newsletter.rendering import checks, compiled, preview
from newsletter.rendering.fetching import Fetcher
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from subscribers.tokens import Keyring


def inspect(
    session: Session,
    issue_id: int,
    settings: Settings,
    *,
    keyring: Keyring,
    now: datetime,
    fetcher: Fetcher | None = None,
    scored: bool = False,
) -> list[Finding]:
    """Return what blocks an issue and what an editor should look at, the blocking first.

    With a fetcher each link is asked; `scored` asks spamd, where the settings name one.
    """
    content = contents.read(session, issue_id, now=now)
    findings = [*_approvals(session, content, now), *_standards(content, now)]
    try:
        whole = preview.current(session, issue_id, settings, keyring=keyring, now=now).whole()
    except TemplateError as error:
        findings += checks.broken(str(error), settings)
    else:
        findings += checks.check(content, whole, settings)
        findings += _wire(whole, issue_id, settings, keyring=keyring, now=now, scored=scored)
        if fetcher:
            findings += checks.check_online(content, whole, settings, fetcher=fetcher)
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def specimen(rendered: Rendered, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime) -> bytes:
    """Return the message as it would leave for a made-up reader, every part in it."""
    whole = rendered.whole()
    head = message.masthead(settings, issue_id, subject=whole.subject, date=now, keyring=keyring)
    body = compiled.compile(whole.html, whole.text, boundary=f"issue-{issue_id}")
    reader = Reader(0, 0, preview.READER, 0, "sample", settings.publication.name)
    return message.assemble(head, body, reader).message


def _wire(
    rendered: Rendered, issue_id: int, settings: Settings, *, keyring: Keyring, now: datetime, scored: bool
) -> list[Finding]:
    try:
        made = specimen(rendered, issue_id, settings, keyring=keyring, now=now)
    except (BadInput, SettingsError) as error:
        return [_unsendable(str(error))]
    found = checks.check_message(made, settings)
    return [*found, *checks.check_spam(made, settings)] if scored else found


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


def _standards(content: IssueContent, now: datetime) -> list[Finding]:
    return [
        replace(finding, where=f"item {item.position}: {item.document.id}, {finding.where}".rstrip(", "))
        for item in content.items
        for finding in gate.check(item.document, now=now)
    ]
