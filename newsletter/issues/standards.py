"""The standards of an issue as a whole: rules that no single text can break, as one table."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from newsletter.editorial import related
from newsletter.editorial.comparisons import SAME_STORY, SAME_TEXT
from newsletter.editorial.document import Document
from newsletter.editorial.evidence import Sent
from newsletter.editorial.gate import Finding, Severity
from newsletter.editorial.rules import Remark
from newsletter.issues.content import IssueContent
from newsletter.issues.corrections import CorrectionView
from newsletter.issues.models import CorrectionState
from newsletter.issues.selecting import MINUTES, reading
from newsletter.words import counted

#: From how many items on one source may not stand behind more than half of them, and from how many there must be
#: so many sources.
MIXED, MANY, SOURCES = 3, 5, 3
_SOMETHING_NEW = "see that there is something new to tell them"


@dataclass(frozen=True)
class Seen:
    """An issue, and those of the briefings named as related in it that readers cannot be led to any more.

    `pending` are corrections that were approved and that some readers wait for, `broken` says what is wrong with the
    desk's record, and `sent` by briefing what the readers of the issue's list had that is like it.
    """

    issue: IssueContent
    gone: frozenset[str] = frozenset()
    pending: tuple[CorrectionView, ...] = ()
    broken: str = ""
    sent: Mapping[str, tuple[Sent, ...]] = field(default_factory=dict)

    @property
    def documents(self) -> list[Document]:
        """Return the texts in their order."""
        return [item.document for item in self.issue.items]


@dataclass(frozen=True)
class Rule:
    """One row of the table: its id in the standards, what a fault means, why the rule is there, how it looks."""

    id: str
    severity: Severity
    why: str
    check: Callable[[Seen], Iterable[Remark]]
    #: whether what it warns of keeps an issue back until somebody waives it
    stops: bool = False


def short_enough(seen: Seen) -> Iterator[Remark]:
    """T3: all items together can be read at one sitting."""
    minutes = sum(map(reading, seen.documents))
    if minutes > MINUTES:
        yield Remark("issue", f"its items take {minutes:.0f} minutes to read", f"make it {MINUTES}: take items out")


def told_once(seen: Seen) -> Iterator[Remark]:
    """X2: no two items tell the same story."""
    items = seen.issue.items
    for first, second, cosine in related.pairs(seen.documents):
        if cosine >= SAME_STORY:
            one, other = items[first], items[second]
            told = f"{one.document.id} tells much the same as item {other.position}, {other.document.id} ({cosine:.2f})"
            yield Remark(f"items {one.position} and {other.position}", told, "keep one of them, or make them one")


def cited_before(seen: Seen) -> Iterator[Remark]:
    """X1: no item has a source that stands behind what these readers had."""
    for item in seen.issue.items:
        for sent in seen.sent.get(item.document.id, ()):
            if sent.url:
                told = f"{sent.url} stands behind {_had(sent)}"
                yield Remark(f"item {item.position}: {item.document.id}", told, _SOMETHING_NEW)


def told_before(seen: Seen) -> Iterator[Remark]:
    """X2: no item tells these readers what they had."""
    yield from _told(seen, SAME_STORY, SAME_TEXT, "tells much the same")


def sent_before(seen: Seen) -> Iterator[Remark]:
    """X2: no item is a text that these readers had."""
    yield from _told(seen, SAME_TEXT, 2.0, "is nearly this text")


def _told(seen: Seen, least: float, below: float, how: str) -> Iterator[Remark]:
    for item in seen.issue.items:
        for sent in seen.sent.get(item.document.id, ()):
            if least <= sent.cosine < below:
                told = f"{_had(sent)}, {how} ({sent.cosine:.2f})"
                yield Remark(f"item {item.position}: {item.document.id}", told, _SOMETHING_NEW)


def _had(sent: Sent) -> str:
    return f"briefing {sent.briefing}, which these readers had on {sent.at:%Y-%m-%d}"


def many_sources(seen: Seen) -> Iterator[Remark]:
    """M1: no single source stands behind most of the items, and a long issue has several."""
    items = len(seen.issue.items)
    cited = Counter(host for document in seen.documents for host in _hosts(document))
    for host, count in cited.most_common(1):
        if items >= MIXED and count > items / 2:
            yield Remark("issue", f"{host} stands behind {count} of {items} items", "put in stories from elsewhere")
    if items >= MANY and len(cited) < SOURCES:
        told = f"{items} items have {counted(len(cited), 'source')}"
        yield Remark("issue", told, f"bring stories from {SOURCES} or more")


def _hosts(document: Document) -> set[str]:
    return {(urlsplit(source.url).hostname or "").removeprefix("www.") for source in document.sources} - {""}


def living_related(seen: Seen) -> Iterator[Remark]:
    """M2: each briefing that is named as related can still be read."""
    for item in seen.issue.items:
        for each in item.related:
            if each.briefing in seen.gone:
                told = f"the related briefing {each.briefing} was withdrawn, or is out of date"
                yield Remark(f"item {item.position}: {item.document.id}", told, "compose the issue anew")


def corrected_first(seen: Seen) -> Iterator[Remark]:
    """C1: readers hear what was wrong before they hear more."""
    for each in seen.pending:
        half = "is on its way, and some readers wait for it"
        stands = half if each.state is CorrectionState.SENDING else "was approved and is not sent"
        told = f"correction {each.id} of {each.briefing} {stands}"
        yield Remark("issue", told, f"newsletter corrections send {each.id}")


def whole_record(seen: Seen) -> Iterator[Remark]:
    """H1: the desk's record of who did what is whole."""
    if seen.broken:
        yield Remark("audit", seen.broken, "find out who changed it before anything is sent: newsletter audit verify")


RULES = (
    Rule("T3", Severity.WARN, "it is read at one sitting", short_enough),
    Rule("X2", Severity.WARN, "no story is told twice in one issue", told_once, stops=True),
    Rule("X1", Severity.WARN, "nothing is sent twice by oversight", cited_before),
    Rule("X2", Severity.WARN, "no story is told twice by oversight", told_before),
    Rule("X2", Severity.WARN, "nobody gets a text twice", sent_before, stops=True),
    Rule("M1", Severity.WARN, "readers hear more than one voice", many_sources),
    Rule("M2", Severity.BLOCK, "no link leads to what was withdrawn", living_related),
    Rule("C1", Severity.WARN, "what was wrong is put right first", corrected_first),
    Rule("H1", Severity.BLOCK, "who approved what can be shown", whole_record),
)
#: Changes with the table, so that a report tells by which rules it was made.
_TABLE = " ".join(f"{rule.id}:{rule.severity}:{rule.stops}:{rule.why}" for rule in RULES)
VERSION = hashlib.sha256(_TABLE.encode()).hexdigest()[:16]


def check(seen: Seen, *, block: Collection[str] = (), waived: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what the rules find in an issue, in the order of the table.

    `block` names rules that are graver here; `waived` says by rule who lets its warnings stand, and why.
    """
    found = []
    for rule in RULES:
        pardon = (waived or {}).get(rule.id, "") if rule.severity is Severity.WARN else ""
        severity = Severity.INFO if pardon else Severity.BLOCK if rule.stops or rule.id in block else rule.severity
        found += [
            Finding(rule.id, severity, each.where, each.message, each.next, rule.why, pardon)
            for each in rule.check(seen)
        ]
    return found
