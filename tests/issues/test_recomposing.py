"""An issue that is brought up to what is approved now, under its number."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from newsletter.editorial import approvals, briefings, decisions
from newsletter.errors import Refused
from newsletter.issues import choosing, contents, issues, ranks, recomposing
from newsletter.issues.issues import Words
from newsletter.issues.recomposing import Change
from tests.issues.conftest import Approve


def again(session: Session, issue: int, now: datetime, **words: str) -> Change:
    picks = choosing.choose(session, besides=issue, now=now).picks
    return recomposing.recompose(session, issue, picks, actor="mara", now=now, **words)


def test_what_is_approved_comes_in_and_what_is_not_any_more_leaves(
    session: Session, approve: Approve, now: datetime, tmp_path: Path
) -> None:
    approve("cranes"), approve("ferries")
    words = Words(subject="The week in ports")
    issue = issues.compose(session, ["cranes", "ferries"], words=words, actor="mara", now=now).id
    seen = recomposing.version(session, issue)
    assert not again(session, issue, now)
    assert recomposing.version(session, issue) == seen
    approve("tugs")
    ranks.set(session, "tugs", place=1, actor="mara", now=now)
    change = again(session, issue, now, intro="*Hello*")
    assert (change.added, change.dropped, change.renewed, change.intro) == (("tugs",), (), (), True)
    assert (change.issue.items, change.issue.id, change.issue.subject) == (
        ("tugs", "cranes", "ferries"), issue, "The week in ports",
    )  # fmt: skip
    assert (change.issue.intro, recomposing.version(session, issue) == seen) == ("*Hello*", False)
    decisions.reject(session, "ferries", note="No.", actor="jonas", now=now)
    assert (again(session, issue, now).dropped, issues.get(session, issue).items) == (("ferries",), ("tugs", "cranes"))
    ranks.clear(session, "tugs", actor="mara", now=now)
    change = again(session, issue, now)
    assert (change.moved, change.added, change.issue.items) == (True, (), ("cranes", "tugs"))


def test_an_edited_file_differs_and_comes_in_only_with_a_new_yes(
    session: Session, approve: Approve, now: datetime, tmp_path: Path
) -> None:
    approve("cranes"), approve("ferries")
    issue = issues.compose(session, ["cranes", "ferries"], words=Words(), actor="mara", now=now).id
    folder = tmp_path / "briefings"
    file = folder / "cranes.md"
    assert recomposing.differing(session, issue, folder) == []
    before = issues.items(session, issue)[0].sha256
    file.write_text(file.read_text("utf-8").replace("surprised", "pleased"), "utf-8")
    (folder / "ferries.md").write_text("half", "utf-8")
    assert recomposing.differing(session, issue, folder) == ["cranes.md", "ferries.md"]
    (folder / "ferries.md").unlink()  # the text in the database stands
    assert recomposing.differing(session, issue, folder) == ["cranes.md"]
    assert not again(session, issue, now)
    briefings.refresh(session, folder, actor="mara", now=now, only=["cranes"])
    kept = recomposing.recompose(session, issue, ["cranes", "ferries"], actor="mara", now=now)  # picked by hand
    assert (bool(kept), issues.items(session, issue)[0].sha256) == (False, before)
    briefings.submit(session, "cranes", actor="mara", now=now)
    approvals.approve(session, "cranes", actor="jonas", solo=False, now=now)
    change = recomposing.recompose(session, issue, ["cranes", "ferries"], actor="mara", now=now)
    assert (change.renewed, change.issue.items) == (("cranes",), ("cranes", "ferries"))
    assert issues.items(session, issue)[0].sha256 == briefings.get(session, "cranes").approved_sha256 != before
    issues.verify(session, issue, now=now)


def test_a_frozen_issue_is_not_recomposed(session: Session, approve: Approve, now: datetime) -> None:
    approve("cranes")
    issue = issues.compose(session, ["cranes"], words=Words(), actor="mara", now=now).id
    contents.freeze(session, contents.read(session, issue, now=now), rendering="a" * 64, actor="mara", now=now)
    approve("tugs")
    with pytest.raises(Refused, match=f"issue {issue} is frozen and says what it says"):
        again(session, issue, now)
