"""The report on an issue: what the gate said of it and of each of its texts when it was frozen and sent."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import briefings, gate, standings
from newsletter.editorial.gate import Finding, Severity
from newsletter.errors import Refused
from newsletter.issues import before, corrections, standards
from newsletter.issues.content import IssueContent
from newsletter.issues.models import IssueReport, IssueWaiver, Step


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the gate found in an issue; `id` is None until it is kept, and `texts` then names the items' reports."""

    issue: int
    step: Step
    rules: str
    block: tuple[str, ...]
    findings: tuple[Finding, ...]
    at: datetime
    person: str = ""
    texts: Mapping[str, int]
    id: int | None = None

    @property
    def blocking(self) -> list[Finding]:
        """Return what must be mended first."""
        return gate.blocks(self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the report in the words of the command line's JSON."""
        return {"report": self.id, **{name: value for name, value in vars(self).items() if name != "id"}}

    def __str__(self) -> str:
        rules = sorted({finding.rule for finding in gate.warns(self.findings)})
        told = f"warns of {', '.join(rules)}" if rules else "nothing to say against it"
        if waived := sorted({f"{each.rule} ({each.waived})" for each in self.findings if each.waived}):
            told += f"; waived: {', '.join(waived)}"
        return f"{told}; report {self.id}, made for {self.person} on {self.at:%Y-%m-%d %H:%M} UTC"


def run(session: Session, content: IssueContent, step: Step, *, block: Collection[str] = (), now: datetime) -> Report:
    """Hold an issue as a whole against the standards."""
    pending = () if content.correction else (*corrections.pending(session), *corrections.under_way(session))
    broken = _broken(session) if step is Step.SEND else ""
    sent = before.resembling(session, content, now=now)
    seen = standards.Seen(content, gone=_gone(session, content, now), pending=pending, broken=broken, sent=sent)
    return Report(
        issue=content.id, step=step, rules=standards.VERSION, block=tuple(sorted(block)),
        findings=tuple(standards.check(seen, block=block, waived=_pardons(session, content))), at=now, texts={},
    )  # fmt: skip


def fingerprint(content: IssueContent) -> str:
    """Return the hash of what an issue says: its items' texts in order, its words, and how it differs by reader."""
    words = [
        [[item.document.id, item.sha256] for item in content.items], content.subject, list(content.alternatives),
        content.preheader, content.intro, vars(content.terms),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _pardons(session: Session, content: IssueContent) -> dict[str, str]:
    """Return by rule who waived it for the issue as it reads, and why; the newest of each."""
    same = select(IssueWaiver).where(IssueWaiver.issue_id == content.id, IssueWaiver.sha256 == fingerprint(content))
    return {row.rule: f"{row.person}: {row.reason}" for row in session.exec(same.order_by(col(IssueWaiver.id)))}


def _broken(session: Session) -> str:
    """Return what is wrong with the chain of the record, empty where nothing is."""
    try:
        audit.verify(session)
    except Refused as refusal:
        return str(refusal)
    return ""


def keep(session: Session, report: Report, *, texts: Mapping[str, int], person: str) -> Report:
    """Store a report, with the numbers of those on its texts, as the one that a person had before them."""
    row = IssueReport(
        issue_id=report.issue, step=report.step, person=person, at=report.at, rules=report.rules,
        block=list(report.block), texts=dict(texts),
        findings=[{**asdict(each), "severity": each.severity.value} for each in report.findings],
    )  # fmt: skip
    session.add(row)
    session.flush()
    return replace(report, id=row.id, person=person, texts=dict(texts))


def all(session: Session, issue_id: int) -> list[Report]:
    """Return the reports on an issue, oldest first."""
    query = select(IssueReport).where(IssueReport.issue_id == issue_id).order_by(col(IssueReport.id))
    return [_report(row) for row in session.exec(query)]


def graver(session: Session, issue_id: int) -> tuple[str, ...]:
    """Return the rules that the desk's settings made graver when the issue was frozen: they are so until it is sent."""
    frozen = [report for report in all(session, issue_id) if report.step is Step.FREEZE]
    return frozen[-1].block if frozen else ()


def _gone(session: Session, content: IssueContent, now: datetime) -> frozenset[str]:
    """Return the related briefings that may not be published now."""
    named = {each.briefing for item in content.items for each in item.related}
    living = {
        standing.id for id in sorted(named)
        if (standing := standings.get(session, id)).state in standings.HELD
        and briefings.public(standing.document, now)
    }  # fmt: skip
    return frozenset(named - living)


def _report(row: IssueReport) -> Report:
    findings: Sequence[dict[str, Any]] = row.findings
    return Report(
        id=row.id, issue=row.issue_id, step=row.step, rules=row.rules, block=tuple(row.block), person=row.person,
        at=row.at, texts=row.texts,
        findings=tuple(Finding(**{**each, "severity": Severity(each["severity"])}) for each in findings),
    )  # fmt: skip
