"""The clearance: the sign-off of a frozen issue, by somebody who had no hand in making it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import people
from newsletter.errors import Refused
from newsletter.issues import issues
from newsletter.issues.models import Clearance, IssueKind, IssueState
from subscribers.words import line

#: What somebody does who has a hand in an issue, as the record says it.
_MADE = ("composed", "edited", "frozen")


@dataclass(frozen=True, kw_only=True)
class ClearanceView:
    """A yes to one rendering of an issue; `solo` says that the same person had a hand in the issue."""

    issue: int
    rendering: str
    person: str
    solo: bool
    note: str
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {name: value for name, value in vars(self).items() if name != "issue"}

    def __str__(self) -> str:
        """Return it as a sentence has it."""
        alone = " (solo: they had a hand in it, and the record says so)" if self.solo else ""
        note = f": {self.note}" if self.note else ""
        return f"cleared by {self.person}{alone}, {self.at:%Y-%m-%d %H:%M} UTC{note}"


def clear(session: Session, issue_id: int, *, solo: bool, note: str = "", actor: str, now: datetime) -> ClearanceView:
    """Record the yes of a person to a frozen issue; Refused to whoever had a hand in it, unless `solo`."""
    issue = issues.row(session, issue_id, lock=True)
    if issue.state is not IssueState.FROZEN:
        how = f"already {standing(session, issue_id)}" if issue.state is IssueState.CLEARED else issue.state
        raise Refused(f"issue {issue_id} is {how}. {issues.next_step(issues.view(session, issue))}")
    people.require(session, actor)
    hand = _hand(session, issue_id, actor)
    if hand and not solo:
        raise Refused(
            f"{actor} cannot clear issue {issue_id}: {hand}; ask somebody else, or say solo = true in newsletter.toml"
        )
    issues.verify(session, issue_id, now=now)
    made = Clearance(
        issue_id=issue_id, rendering=issue.rendering, person=actor, solo=bool(hand),
        note=line("--note", note, 2000), at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    view = _view(made)
    issues.move(session, issue_id, IssueState.CLEARED, since=(IssueState.FROZEN,))
    audit.append(
        session, "cleared", actor=actor, kind="issue", name=issue_id, now=now,
        rendering=view.rendering, solo=view.solo, note=view.note,
    )  # fmt: skip
    return view


def _hand(session: Session, issue_id: int, person: str) -> str:
    """Return what a person did to make an issue, empty where nothing."""
    done = [each for each in audit.entries(session, "issue", issue_id) if each.action in _MADE]
    own = [each for each in done if each.actor == person]
    return f"it was {own[-1].action} by them on {own[-1].at:%Y-%m-%d %H:%M} UTC" if own else ""


def standing(session: Session, issue_id: int) -> ClearanceView | None:
    """Return the clearance of the rendering that the issue is fixed to, None where there is none."""
    issue = issues.row(session, issue_id)
    if not issue.rendering or issue.state is IssueState.FROZEN:  # one before an unfreeze does not hold any more
        return None
    query = select(Clearance).where(Clearance.issue_id == issue_id, Clearance.rendering == issue.rendering)
    row = session.exec(query.order_by(col(Clearance.id).desc()).limit(1)).first()
    return _view(row) if row else None


def require(session: Session, issue_id: int) -> None:
    """Refuse an issue that nobody has cleared as it stands; a correction has somebody else's yes already."""
    issue = issues.row(session, issue_id)
    waits = issue.state in (IssueState.FROZEN, IssueState.CLEARED) and issue.kind is IssueKind.DIGEST
    if waits and standing(session, issue_id) is None:
        raise Refused(
            f"issue {issue_id} is not cleared, and this desk sends nothing that is not (clearance = true in "
            f"newsletter.toml); somebody who did not make it does so: newsletter issues clear {issue_id}"
        )


def unfreeze(session: Session, issue_id: int, *, actor: str, now: datetime) -> None:
    """Let an issue that nobody was sent change again: it has no rendering any more, and a clearance is void."""
    issue = issues.row(session, issue_id, lock=True)
    if issue.kind is not IssueKind.DIGEST:
        raise Refused(f"issue {issue_id} is a {issue.kind}, whose words were approved; give it up and draft another")
    void = standing(session, issue_id)
    before = (IssueState.FROZEN, IssueState.CLEARED)
    issues.move(session, issue_id, IssueState.ASSEMBLING, since=before, rendering="", frozen_at=None)
    detail = {"cleared_by": void.person} if void else {}
    audit.append(session, "unfrozen", actor=actor, kind="issue", name=issue_id, now=now, **detail)


def _view(row: Clearance) -> ClearanceView:
    return ClearanceView(
        issue=row.issue_id, rendering=row.rendering, person=row.person, solo=row.solo, note=row.note, at=row.at
    )
