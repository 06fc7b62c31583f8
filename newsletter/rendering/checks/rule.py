"""A rule of the email checks, as data, and the words that many of them share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from newsletter.editorial.gate import Finding, Severity

Subject = TypeVar("Subject")

#: Where a fault is, and what it is.
Fault = tuple[str, str]
BLOCK, WARN = Severity.BLOCK, Severity.WARN

TEMPLATE = "mend the theme's template, then freeze again"


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """One rule: what it looks for, why it is one, and what to do when it finds something."""

    id: str
    severity: Severity
    find: Callable[[Subject], Iterator[Fault]]
    #: what the rule looks for, as the table of rules in the documentation says it
    what: str
    why: str
    next: str

    def findings(self, subject: Subject, severity: Severity) -> Iterator[Finding]:
        """Yield what the rule has to say, at that severity."""
        for where, message in self.find(subject):
            yield Finding(rule=self.id, severity=severity, where=where, message=message, next=self.next, why=self.why)
