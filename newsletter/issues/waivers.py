"""The waiver of an issue: a reason to let a warning about it as it reads stand, from somebody who had no hand in it."""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import people
from newsletter.editorial.gate import Severity
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import contents, issues, reports, standards
from newsletter.issues.content import IssueContent
from newsletter.issues.models import IssueState, IssueWaiver, Step
from subscribers.words import line

#: States in which there is still something to wave through.
_OPEN = (IssueState.ASSEMBLING, IssueState.FROZEN, IssueState.CLEARED)


@dataclass(frozen=True, kw_only=True)
class IssueWaiverView:
    """A reason to let the warnings of one rule about one issue stand, and whose it is; `holds` until it is changed."""

    issue: int
    sha256: str
    rule: str
    reason: str
    person: str
    solo: bool
    at: datetime
    holds: bool = True


def waive(
    session: Session, issue_id: int, rule: str, *, reason: str, actor: str, solo: bool, now: datetime
) -> IssueWaiverView:
    """Let what a rule warns of in an issue as it reads be; any change of its items or words voids it."""
    reason = line("--reason", reason, 2000)
    if not reason:
        raise BadInput(f"a waiver needs a reason: newsletter issues waive {issue_id} {rule} --reason WHY")
    _require_waivable(rule)
    issue = issues.row(session, issue_id, lock=True)
    if issue.state not in _OPEN:
        raise Refused(f"issue {issue_id} is {issues.standing(issue.state)}; there is nothing to waive any more")
    people.require(session, actor)
    hand = _hand(session, issue_id, actor)
    if hand and not solo:
        raise Refused(
            f"{actor} cannot waive {rule} for issue {issue_id}: {hand}; ask somebody else, or say solo = true in "
            "newsletter.toml"
        )
    content = contents.read(session, issue_id, now=now)
    _require_found(session, content, rule, now)
    waiver = IssueWaiver(
        issue_id=issue_id, sha256=reports.fingerprint(content), person=actor, at=now, rule=rule, reason=reason,
        solo=bool(hand),
    )  # fmt: skip
    session.add(waiver)
    session.flush()
    audit.append(
        session, "waived", actor=actor, kind="issue", name=issue_id, now=now,
        sha256=waiver.sha256, rule=rule, reason=reason, solo=waiver.solo,
    )  # fmt: skip
    return _view(waiver, waiver.sha256)


def all(session: Session, issue_id: int, *, now: datetime) -> list[IssueWaiverView]:
    """Return every waiver that an issue had, oldest first, and whether it holds for the issue as it reads."""
    rows = session.exec(select(IssueWaiver).where(IssueWaiver.issue_id == issue_id).order_by(col(IssueWaiver.id))).all()
    current = reports.fingerprint(contents.read(session, issue_id, now=now)) if rows else ""
    return [_view(row, current) for row in rows]


def _hand(session: Session, issue_id: int, person: str) -> str:
    """Return how a person had a hand in the issue, the empty string where not at all."""
    if issues.row(session, issue_id).composed_by == person:
        return "they composed it"
    edits = [each for each in audit.entries(session, "issue", issue_id) if each.action == "edited"]
    return "they edited it" if any(each.actor == person for each in edits) else ""


def _require_waivable(rule: str) -> None:
    severities = [each.severity for each in standards.RULES if each.id == rule]
    if not severities:
        known = [each.id for each in standards.RULES if each.severity is Severity.WARN]
        near = get_close_matches(rule.upper(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"those that warn are {', '.join(known)}"
        raise NotFound(f"the gate has no rule {rule!r} on issues; {hint}")
    if Severity.WARN not in severities:
        raise Refused(f"rule {rule} never warns: what it finds cannot be waived; mend the issue")


def _require_found(session: Session, content: IssueContent, rule: str, now: datetime) -> None:
    findings = reports.run(session, content, Step.FREEZE, now=now).findings
    found = [each for each in findings if each.rule == rule]
    if not [each for each in found if not each.waived]:
        told = f"it is waived already, by {found[0].waived}" if found else "it finds nothing there"
        raise Refused(f"there is nothing to waive of rule {rule} in issue {content.id}: {told}")


def _view(row: IssueWaiver, current: str) -> IssueWaiverView:
    return IssueWaiverView(
        issue=row.issue_id, sha256=row.sha256, rule=row.rule, reason=row.reason, person=row.person, solo=row.solo,
        at=row.at, holds=row.sha256 == current,
    )  # fmt: skip
