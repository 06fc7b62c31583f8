"""The sign-off of a frozen issue, by somebody who did not make it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from newsletter import audit
from newsletter.editorial import briefings, people
from newsletter.errors import NotFound, Refused
from newsletter.issues import clearing, contents, issues
from newsletter.issues.issues import Words
from newsletter.issues.models import IssueState
from tests.issues.conftest import Approve


@pytest.fixture
def frozen(session: Session, approve: Approve, now: datetime) -> int:
    """Return an issue that mara composed and ivo edited and froze; jonas had no hand in it."""
    people.add(session, "ivo", now=now)
    approve("cranes")
    issue = issues.compose(session, ["cranes"], words=Words(), actor="mara", now=now).id
    issues.edit(session, issue, changes={"subject": "Cranes"}, actor="ivo", now=now)
    freeze(session, issue, "a", now)
    return issue


def freeze(session: Session, issue: int, mark: str, now: datetime) -> None:
    content = contents.read(session, issue, now=now)
    contents.freeze(session, content, rendering=mark * 64, actor="ivo", now=now)


def test_whoever_had_no_hand_in_an_issue_clears_it(session: Session, frozen: int, now: datetime) -> None:
    for who, did in (("mara", "composed"), ("ivo", "frozen")):
        with pytest.raises(Refused, match=f"{who} cannot clear issue {frozen}: it was {did} by them.*solo = true"):
            clearing.clear(session, frozen, solo=False, actor=who, now=now)
    with pytest.raises(Refused, match=f"issue {frozen} is not cleared.*newsletter issues clear {frozen}"):
        clearing.require(session, frozen)
    made = clearing.clear(session, frozen, solo=True, note="On paper", actor="jonas", now=now)
    assert (made.rendering, made.solo, clearing.standing(session, frozen)) == ("a" * 64, False, made)
    assert issues.get(session, frozen).state is IssueState.CLEARED
    clearing.require(session, frozen)
    with pytest.raises(Refused, match="already cleared by jonas, 2026-11-02 09:00 UTC: On paper. Send it"):
        clearing.clear(session, frozen, solo=False, actor="jonas", now=now)
    entry = audit.entries(session, "issue", frozen)[-1]
    assert (entry.action, entry.actor, entry.detail["solo"]) == ("cleared", "jonas", False)
    contents.begin_sending(session, frozen, actor="mara", now=now)
    clearing.require(session, frozen)  # a send that goes on is not asked again
    assert clearing.standing(session, frozen) == made


def test_a_desk_of_one_clears_its_own_and_the_record_says_so(session: Session, frozen: int, now: datetime) -> None:
    made = clearing.clear(session, frozen, solo=True, actor="mara", now=now)
    assert made.solo
    assert "solo: they had a hand in it" in str(made)
    assert audit.entries(session, "issue", frozen)[-1].detail["solo"] is True


def test_an_unfreeze_voids_a_clearance_for_good(session: Session, frozen: int, now: datetime) -> None:
    clearing.clear(session, frozen, solo=False, actor="jonas", now=now)
    clearing.unfreeze(session, frozen, actor="mara", now=now)
    view = issues.get(session, frozen)
    assert (view.state, view.rendering, view.frozen_at) == (IssueState.ASSEMBLING, "", None)
    assert audit.entries(session, "issue", frozen)[-1].detail == {"cleared_by": "jonas"}
    issues.edit(session, frozen, changes={"subject": "Cranes"}, actor="ivo", now=now)
    freeze(session, frozen, "a", now + timedelta(hours=1))  # the very same words
    with pytest.raises(Refused, match="is not cleared"):
        clearing.require(session, frozen)
    with pytest.raises(Refused, match="assembling"):
        clearing.unfreeze(session, frozen, actor="mara", now=now)
        clearing.clear(session, frozen, solo=False, actor="jonas", now=now)


def test_what_cannot_go_out_is_not_cleared(session: Session, frozen: int, now: datetime, tmp_path: Path) -> None:
    file = tmp_path / "briefings" / "cranes.md"
    file.write_text(file.read_text("utf-8").replace("surprised", "pleased"), "utf-8")
    briefings.refresh(session, tmp_path / "briefings", actor="mara", now=now)
    with pytest.raises(Refused, match="cranes is not approved: it was changed"):
        clearing.clear(session, frozen, solo=False, actor="jonas", now=now)
    with pytest.raises(NotFound, match="nobody here is called 'nobody'"):
        clearing.clear(session, frozen, solo=False, actor="nobody", now=now)
    assert issues.get(session, frozen).state is IssueState.FROZEN
