"""The standards gate: the rules that a briefing must pass, as one table."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsletter.editorial import comparisons, drifting, permissions, rules
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
    #: who lets it stand, and why
    waived: str = ""

    def __str__(self) -> str:
        waived = f" (waived by {self.waived})" if self.waived else ""
        return f"{self.severity} {self.rule} {self.where}: {self.message}; {self.next}{waived}"


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
    Rule("A3", Severity.WARN, "readers see where a link leads", comparisons.direct),
    Rule("A4", Severity.WARN, "whoever told it first is credited", comparisons.upstream),
    Rule("O0", Severity.INFO, "nobody takes silence for a check", comparisons.compared),
    Rule("O1", Severity.WARN, "the words are the desk's own", comparisons.long_runs),
    Rule("O1", Severity.BLOCK, "no passage is taken from a source", comparisons.longest_runs),
    Rule("O2", Severity.WARN, "the words are the desk's own", comparisons.much_copied),
    Rule("O2", Severity.BLOCK, "the text is no copy", comparisons.mostly_copied),
    Rule("O3", Severity.WARN, "a changed word makes no sentence one's own", comparisons.alike_sentences),
    Rule("O3", Severity.BLOCK, "the text is no rewriting", comparisons.mostly_alike),
    Rule("O4", Severity.WARN, "nobody is given words they did not say", comparisons.quoted_right),
    Rule("N1", Severity.WARN, "facts come from a source", comparisons.supported),
    Rule("R1", Severity.WARN, "the desk knows what it may take", permissions.unnamed),
    Rule("R1", Severity.BLOCK, "nothing is taken that its owner did not give", permissions.exceeded),
    Rule("R1", Severity.BLOCK, "a licence runs", permissions.ended, (Stage.CONTENT, Stage.ISSUE)),
    Rule("T1", Severity.BLOCK, "every part is there", rules.complete),
    Rule("T2", Severity.BLOCK, "three points can be remembered", rules.three_points),
    Rule("T2", Severity.WARN, "points are short and add to the text", rules.short_points),
    Rule("T3", Severity.WARN, "it is read in a few minutes", rules.right_lengths),
    Rule("T4", Severity.BLOCK, "it is finished", rules.no_placeholders),
    Rule("T5", Severity.WARN, "somebody knows that it concerns them", comparisons.for_somebody),
    Rule("T6", Severity.BLOCK, "readers can follow each link", rules.openable_links),
    Rule("L1", Severity.BLOCK, "readers know who and what wrote it", rules.declared),
    # A text under embargo may be approved ahead of time; only an issue has to wait for it.
    Rule("E1", Severity.WARN, "an embargo is kept", rules.embargoed),
    Rule("E1", Severity.BLOCK, "an embargo is kept", rules.embargoed, (Stage.ISSUE,)),
    Rule("E1", Severity.BLOCK, "nothing is sent that is out of date", rules.expired, (Stage.CONTENT, Stage.ISSUE)),
    Rule("X1", Severity.WARN, "nothing is sent twice by oversight", comparisons.cited_before),
    Rule("X2", Severity.WARN, "no story is told twice by oversight", comparisons.told_before),
    Rule("X3", Severity.WARN, "the text follows its sources", drifting.unchanged_sources, (Stage.CONTENT, Stage.ISSUE)),
    Rule("X3", Severity.BLOCK, "readers can go to the sources", drifting.living_sources, (Stage.CONTENT, Stage.ISSUE)),
)
#: The rules that look at the sources' words: asked when a text is approved, and told from then on. What readers had
#: (X1, X2) is asked again of each issue, for its list.
RESEARCHED = ("O1", "O2", "O3", "O4", "N1", "R1")
#: Changes with the table, so that a report tells by which rules it was made.
VERSION = hashlib.sha256(" ".join(f"{rule.id}:{rule.severity}:{rule.why}" for rule in RULES).encode()).hexdigest()[:16]


def blocks(findings: Iterable[Finding]) -> list[Finding]:
    """Return only the findings that must be mended first."""
    return [finding for finding in findings if finding.severity is Severity.BLOCK]


def warns(findings: Iterable[Finding]) -> list[Finding]:
    """Return only the findings that somebody has to think about."""
    return [finding for finding in findings if finding.severity is Severity.WARN]


def check(
    document: Document, *, now: datetime, stage: Stage = Stage.CONTENT, seen: Evidence | None = None,
    block: Collection[str] = (), waived: Mapping[str, str] | None = None,
) -> list[Finding]:  # fmt: skip
    """Return what the rules of one stage find in a text, in the order of the table.

    Without `seen`, rules that need more than the text find nothing. `block` names rules whose warnings block here;
    `waived` says by rule who lets its warnings stand, and why. What blocks by itself cannot be waived.
    """
    found = []
    for rule in RULES:
        if stage in rule.stages:
            pardon = (waived or {}).get(rule.id, "") if rule.severity is Severity.WARN else ""
            severity = _severity(rule, block, pardon)
            for remark in rule.check(document, seen or Evidence(now=now)):
                found.append(Finding(rule.id, severity, remark.where, remark.message, remark.next, rule.why, pardon))
    return found


def _severity(rule: Rule, block: Collection[str], pardon: str) -> Severity:
    if pardon:
        return Severity.INFO
    return Severity.BLOCK if rule.severity is Severity.WARN and rule.id in block else rule.severity
