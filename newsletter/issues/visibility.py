"""Who can see an issue online once it went out: what the desk said of it, else what its settings say of all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, update

from newsletter import audit
from newsletter.errors import Refused
from newsletter.issues import issues
from newsletter.issues.issues import PUBLISHED
from newsletter.issues.models import Issue, IssueState, Visibility


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an issue stands online; `listed` once every reader has it and everybody may see it."""

    issue: int
    state: IssueState
    visibility: Visibility

    @property
    def open(self) -> bool:
        """Return whether it has a page that needs no reader's link."""
        return self.state in PUBLISHED and self.visibility is not Visibility.SUBSCRIBERS

    @property
    def listed(self) -> bool:
        """Return whether lists, feeds and searches name it."""
        return self.state is IssueState.SENT and self.visibility is Visibility.PUBLIC

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {"issue": self.issue, "state": self.state.value, "visibility": self.visibility.value,
                "listed": self.listed}  # fmt: skip


def of(session: Session, issue_id: int, *, default: str) -> Standing:
    """Return how an issue stands online; `default` is what the settings say."""
    issue = issues.row(session, issue_id)
    return Standing(issue=issue_id, state=issue.state, visibility=issue.visibility or Visibility(default))


def publish(session: Session, issue_id: int, visibility: Visibility, *, actor: str, now: datetime) -> Standing:
    """Say who can see an issue online, before or after it is sent."""
    issue = issues.row(session, issue_id, lock=True)
    if issue.state is IssueState.CANCELLED:
        raise Refused(f"issue {issue_id} is cancelled and has no page; see the others: newsletter issues list")
    session.execute(update(Issue).where(col(Issue.id) == issue_id).values(visibility=visibility))
    audit.append(session, "published", actor=actor, kind="issue", name=issue_id, now=now, visibility=visibility.value)
    session.refresh(issue)
    return of(session, issue_id, default=visibility)
