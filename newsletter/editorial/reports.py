"""The report: what the gate found in one exact text, against which words of its sources, kept as evidence."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from newsletter import rights as rights_
from newsletter.editorial import gate, research, standings
from newsletter.editorial.gate import Finding, Severity, Stage
from newsletter.editorial.models import GateReport, Waiver
from newsletter.editorial.standings import Standing
from newsletter.errors import NotFound
from newsletter.rights import Right
from newsletter.words import counted


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the gate found; `id` is None and `person` empty until it is kept. `words` are those of the sources held."""

    briefing: str
    revision: int
    sha256: str
    stage: Stage
    rules: str
    block: tuple[str, ...]
    words: int
    sources: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    at: datetime
    person: str = ""
    id: int | None = None

    @property
    def blocking(self) -> list[Finding]:
        """Return what must be mended first."""
        return gate.blocks(self.findings)

    @property
    def rights(self) -> tuple[Right, ...]:
        """Return the rows of the table of rights that its sources had."""
        return tuple(Right.model_validate(each["right"]) for each in self.sources if each.get("right"))

    @property
    def against(self) -> str:
        """Return with what the text was compared, in words."""
        held = sum(1 for source in self.sources if source["words"])
        return f"checked against {counted(self.words, 'word')} of {held} of {counted(len(self.sources), 'source')}"


def run(
    session: Session, here: Standing, *, block: Collection[str] = (), rights: Sequence[Right] = (),
    stage: Stage = Stage.CONTENT, now: datetime,
) -> Report:  # fmt: skip
    """Hold a briefing's text against the rules of a stage, its sources' words and rights, and what was sent before."""
    gather = research.gather if stage is Stage.CONTENT else research.changes
    seen = replace(gather(session, here, now=now), rights=tuple(rights))
    pardons = _pardons(session, here)
    findings = gate.check(here.document, now=now, stage=stage, seen=seen, block=block, waived=pardons)
    return Report(
        briefing=here.id, revision=here.revision, sha256=here.sha256, stage=stage, rules=gate.VERSION,
        block=tuple(sorted(block)), words=sum(source.length for source in seen.sources),
        sources=tuple(
            {"source": each.number, "name": each.name, "url": each.url, "words": each.length, "sha256": each.sha256,
             **_right(seen.rights, each.url)}
            for each in seen.sources
        ),
        findings=tuple(findings), at=now,
    )  # fmt: skip


def _right(rights: Sequence[Right], url: str) -> dict[str, Any]:
    right = rights_.of(rights, url)
    return {"right": right.model_dump(mode="json")} if right else {}


def keep(session: Session, report: Report, *, person: str) -> Report:
    """Store a report as the one that a person had before them."""
    row = GateReport(
        briefing_id=report.briefing, revision=report.revision, sha256=report.sha256, person=person, at=report.at,
        stage=report.stage, rules=report.rules, block=list(report.block), words=report.words,
        sources=list(report.sources), findings=[_plain(finding) for finding in report.findings],
    )  # fmt: skip
    session.add(row)
    session.flush()
    return _report(row)


def of(session: Session, briefing: str, id: int) -> Report:
    """Return a report on a briefing by its number."""
    row = session.get(GateReport, id)
    if row is None or row.briefing_id != briefing:
        standings.get(session, briefing)
        raise NotFound(
            f"there is no report {id} on {briefing}; its history names them: newsletter briefings history ID"
        )
    return _report(row)


def newest(session: Session, briefing: str) -> Report:
    """Return the newest report that was kept on a briefing."""
    standings.get(session, briefing)
    query = select(GateReport).where(GateReport.briefing_id == briefing).order_by(col(GateReport.id).desc())
    row = session.exec(query.limit(1)).first()
    if row is None:
        raise NotFound(
            f"no report on briefing {briefing} was kept yet; make one: newsletter briefings check {briefing}"
        )
    return _report(row)


def pending(session: Session, here: Standing, *, report: int | None, now: datetime) -> list[Finding]:
    """Return what keeps an approved text from going out now.

    The rules that were graver at the approval are so still. A text that was approved by other rules than today's is
    held against today's first.
    """
    kept = of(session, here.id, report) if report else None
    block, rights = (kept.block, kept.rights) if kept else ((), ())
    found = run(session, here, block=block, rights=rights, stage=Stage.ISSUE, now=now).blocking
    if kept is None or kept.rules != gate.VERSION:
        older = run(session, here, block=block, rights=rights, now=now).blocking
        found += [each for each in older if each.rule not in {one.rule for one in found}]
    return found


def at_issue(session: Session, id: str, sha256: str, *, now: datetime) -> list[Finding]:
    """Return what the gate has to say of a text that an issue took.

    What was compared with the sources' words is told from the report at the approval; the rest is looked at anew.
    """
    here = replace(standings.get(session, id), sha256=sha256, document=standings.text_at(session, id, sha256))
    approval = standings.newest_approval(session, id)
    kept = of(session, id, approval.report) if approval and approval.report and approval.sha256 == sha256 else None
    seen, block = research.changes(session, here, now=now), kept.block if kept else ()
    found = gate.check(here.document, now=now, seen=seen, block=block, waived=_pardons(session, here))
    return found + [each for each in (kept.findings if kept else ()) if each.rule in gate.RESEARCHED]


def _pardons(session: Session, here: Standing) -> dict[str, str]:
    """Return by rule who waived it for this very text, and why; the newest of each."""
    same = select(Waiver).where(Waiver.briefing_id == here.id, Waiver.sha256 == here.sha256)
    return {waiver.rule: f"{waiver.person}: {waiver.reason}" for waiver in session.exec(same.order_by(col(Waiver.id)))}


def _plain(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "severity": finding.severity.value}


def _report(row: GateReport) -> Report:
    findings: Sequence[dict[str, Any]] = row.findings
    return Report(
        id=row.id, briefing=row.briefing_id, revision=row.revision, sha256=row.sha256, person=row.person, at=row.at,
        stage=row.stage, rules=row.rules, block=tuple(row.block), words=row.words, sources=tuple(row.sources),
        findings=tuple(Finding(**{**each, "severity": Severity(each["severity"])}) for each in findings),
    )  # fmt: skip
