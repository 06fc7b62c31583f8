"""The email checks: what a rendering must be before it goes to anybody. Rules are data; each yields what is wrong."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from newsletter.editorial.gate import RULES as GATE
from newsletter.editorial.gate import Finding, Severity
from newsletter.errors import SettingsError
from newsletter.issues.content import IssueContent
from newsletter.issues.standards import RULES as ISSUE
from newsletter.rendering import spam
from newsletter.rendering.checks import (
    clients,
    credit,
    images,
    links,
    online,
    parts,
    setting,
    size,
    structure,
    subject,
    template,
    wire,
)
from newsletter.rendering.checks.rule import Rule
from newsletter.rendering.fetching import Fetcher
from newsletter.rendering.proof import Proof as Proof
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings

#: The rules that need nothing but the rendering and what it was made from.
RULES: tuple[Rule[Proof], ...] = (
    *structure.RULES, *size.RULES, *subject.RULES, *parts.RULES, *credit.RULES, *links.RULES, *images.RULES,
    *setting.RULES, *clients.RULES,
)  # fmt: skip
#: Every rule, in the order in which the documentation tells them.
EVERY: tuple[Rule[Any], ...] = (*template.RULES, *RULES, *wire.RULES, *online.LINKS, *online.SPAM)

Subject = TypeVar("Subject")


def check(content: IssueContent, rendered: Rendered, settings: Settings) -> list[Finding]:
    """Return what is wrong with a rendering, in the order of the rules; every part of it counts, whoever gets it."""
    return list(_hold(RULES, Proof(content, rendered.whole(), settings), settings))


def check_message(message: bytes, settings: Settings) -> list[Finding]:
    """Return what is wrong with a reader's message as it goes over the wire."""
    return list(_hold(wire.RULES, wire.Wire(message), settings))


def check_online(content: IssueContent, rendered: Rendered, settings: Settings, *, fetcher: Fetcher) -> list[Finding]:
    """Return which links and images do not answer; asks each of them."""
    sheet = Proof(content, rendered, settings)
    answers = fetcher.ask_all(online.addresses(sheet))
    return list(_hold(online.LINKS, online.Online(sheet, answers), settings))


def check_spam(message: bytes, settings: Settings) -> list[Finding]:
    """Return what SpamAssassin has against a message; nothing where no spamd is set."""
    if not settings.check.spamd:
        return []
    return list(_hold(online.SPAM, spam.ask(settings.check.spamd, message), settings))


def broken(told: str, settings: Settings) -> list[Finding]:
    """Return what the press said of a template as findings."""
    return list(_hold(template.RULES, told, settings))


def _hold(rules: Iterable[Rule[Subject]], subject: Subject, settings: Settings) -> Iterator[Finding]:
    raised = settings.check.block
    known = {rule.id for rule in EVERY} | {rule.id for rule in GATE} | {rule.id for rule in ISSUE}
    for name in raised:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "docs/checks.md lists them"
            raise SettingsError(f"block in [check] names {name}, which is no rule; {hint}")
    for rule in rules:
        yield from rule.findings(subject, Severity.BLOCK if rule.id in raised else rule.severity)


def blocks(finding: Finding) -> bool:
    """Return whether the finding keeps the issue from being frozen."""
    return finding.severity is Severity.BLOCK
