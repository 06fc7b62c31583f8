"""The standards gate: the rules that a briefing must pass, as one table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.editorial import rules
from newsletter.editorial.document import Document
from newsletter.editorial.evidence import Evidence
from newsletter.editorial.models import Stage as Stage


class Severity(StrEnum):
    """What a finding means for the way on."""

    #: it must be mended first
    BLOCK = "block"
    #: it may stand if somebody thinks so
    WARN = "warn"
    #: good to know
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """What a rule has to say about one place of a text."""

    rule: str
    severity: Severity
    where: str
    message: str
    next: str
    #: why there is such a rule
    why: str = ""

    def __str__(self) -> str:
        return f"{self.severity} {self.rule} {self.where}: {self.message}; {self.next}"


@dataclass(frozen=True)
class Rule:
    """One row of the table: its id in the standards, what a fault means, why the rule is there, how it looks."""

    id: str
    severity: Severity
    why: str
    check: Callable[[Document, Evidence], Iterable[rules.Remark]]
    stages: tuple[Stage, ...] = (Stage.CONTENT,)


RULES = (
    Rule("A1", Severity.BLOCK, "readers can go to the sources", rules.credited),
    Rule("A6", Severity.BLOCK, "the sources' dates are possible", rules.impossible_dates),
    Rule("A6", Severity.WARN, "the sources are news", rules.stale_sources),
    Rule("T1", Severity.BLOCK, "every part is there", rules.complete),
    Rule("T2", Severity.BLOCK, "three points can be remembered", rules.three_points),
    Rule("T2", Severity.WARN, "points are short and add to the text", rules.short_points),
    Rule("T3", Severity.WARN, "it is read in a few minutes", rules.right_lengths),
    Rule("T4", Severity.BLOCK, "it is finished", rules.no_placeholders),
    Rule("T6", Severity.BLOCK, "readers can follow each link", rules.openable_links),
    Rule("L1", Severity.BLOCK, "readers know who and what wrote it", rules.declared),
    # A text under embargo may be approved ahead of time; only an issue has to wait for it.
    Rule("E1", Severity.WARN, "an embargo is kept", rules.embargoed),
    Rule("E1", Severity.BLOCK, "an embargo is kept", rules.embargoed, (Stage.ISSUE,)),
    Rule("E1", Severity.BLOCK, "nothing is sent that is out of date", rules.expired, (Stage.CONTENT, Stage.ISSUE)),
)


def blocks(findings: Iterable[Finding]) -> list[Finding]:
    """Return only the findings that must be mended first."""
    return [finding for finding in findings if finding.severity is Severity.BLOCK]


def check(document: Document, *, now: datetime, stage: Stage = Stage.CONTENT) -> list[Finding]:
    """Return what the rules of one stage find in a text, in the order of the table."""
    return [
        Finding(rule.id, rule.severity, remark.where, remark.message, remark.next, rule.why)
        for rule in RULES
        if stage in rule.stages
        for remark in rule.check(document, Evidence(now=now))
    ]


def blocking(document: Document, *, now: datetime, stage: Stage = Stage.CONTENT) -> list[Finding]:
    """Return what must be mended first in a text at one stage."""
    return blocks(check(document, now=now, stage=stage))
