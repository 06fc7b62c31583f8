"""The email checks: what a rendering must be before it goes to anybody. Rules are data; each yields what is wrong."""

from newsletter.editorial.gate import Finding, Severity
from newsletter.issues.content import IssueContent
from newsletter.rendering.checks import clients, credit, images, links, parts, setting, size, structure, subject
from newsletter.rendering.checks.rule import Rule
from newsletter.rendering.proof import Proof as Proof
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings

#: The rules that need nothing but the rendering and what it was made from.
RULES: tuple[Rule[Proof], ...] = (
    *structure.RULES, *size.RULES, *subject.RULES, *parts.RULES, *credit.RULES, *links.RULES, *images.RULES,
    *setting.RULES, *clients.RULES,
)  # fmt: skip


def check(content: IssueContent, rendered: Rendered, settings: Settings) -> list[Finding]:
    """Return what is wrong with a rendering, in the order of the rules."""
    sheet = Proof(content, rendered, settings)
    return [finding for rule in RULES for finding in rule.findings(sheet, rule.severity)]


def blocks(finding: Finding) -> bool:
    """Return whether the finding keeps the issue from being frozen."""
    return finding.severity is Severity.BLOCK
