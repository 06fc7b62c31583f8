"""Decisions besides the yes, each with its reason in the record; comments; what changed since the yes."""

from collections.abc import Callable
from typing import Any

import pytest

from newsletter.editorial import approvals, briefings, changes, comments, decisions
from newsletter.editorial.models import BriefingState
from newsletter.errors import BadInput, NotFound, Refused
from subscribers.errors import BadValue
from tests.editorial.conftest import Room


def decide(room: Room, decision: Callable[..., briefings.Standing], **words: Any) -> briefings.Standing:
    return decision(room.session, "memory-prices", actor="ines", now=room.now, **words)


def approve(room: Room) -> approvals.ApprovalView:
    return approvals.approve(room.session, "memory-prices", actor="jonas", solo=False, now=room.now)


def send(room: Room) -> None:
    approve(room)
    briefings.mark_sent(room.session, ["memory-prices"], issue_id=1, actor="ines", now=room.now)


def newest(room: Room) -> tuple[str, dict[str, Any]]:
    entry = briefings.history(room.session, "memory-prices")[-1]
    return entry.action, entry.detail


def test_what_is_rejected_is_a_draft_again_and_says_why(room: Room) -> None:
    assert decide(room, decisions.reject, note="Who says so?").state == BriefingState.DRAFT
    action, detail = newest(room)
    assert (action, detail["note"]) == ("rejected", "Who says so?")
    assert room.submit().state == BriefingState.IN_REVIEW


def test_a_rejected_approval_does_not_come_back(room: Room) -> None:
    approve(room)
    decide(room, decisions.reject, note="It is out of date.")
    assert newest(room)[1]["approved_by"] == "jonas"
    assert approvals.standing(room.session, "memory-prices") is None
    with pytest.raises(Refused, match="is not approved"):
        approvals.require(room.session, "memory-prices")
    assert room.submit().approved_by == ()


def test_a_spiked_briefing_goes_nowhere_until_it_is_restored(room: Room) -> None:
    approve(room)
    assert decide(room, decisions.spike, reason="The deal is off.").state == BriefingState.SPIKED
    with pytest.raises(Refused, match="it is spiked; leave it out"):
        approvals.require(room.session, "memory-prices")
    with pytest.raises(Refused, match="newsletter briefings restore memory-prices"):
        room.submit()
    room.write(title="A better title")
    (problem,) = room.refresh()
    assert "newsletter briefings restore memory-prices" in problem.message
    assert decide(room, decisions.restore).state == BriefingState.DRAFT
    assert room.refresh() == []
    assert room.get().title == "A better title"
    assert room.submit().approved_by == ()


def test_readers_text_is_corrected_and_killed_for_a_reason(room: Room) -> None:
    send(room)
    assert decide(room, decisions.correct, reason="It was a fourth, not a fifth.").state == BriefingState.CORRECTED
    assert decide(room, decisions.correct, reason="And in spring.").state == BriefingState.CORRECTED
    assert approvals.standing(room.session, "memory-prices") is not None
    assert decide(room, decisions.kill, reason="The source withdrew it.").state == BriefingState.KILLED
    assert room.actions()[-3:] == [("ines", "corrected"), ("ines", "corrected"), ("ines", "killed")]
    assert newest(room)[1]["reason"] == "The source withdrew it."
    with pytest.raises(Refused, match="it is killed; leave it out"):
        approvals.require(room.session, "memory-prices")


@pytest.mark.parametrize(
    ("decision", "words", "error"),
    [
        (decisions.correct, {"reason": "x"}, "is in_review and cannot be corrected: readers do not have it; edit it"),
        (decisions.kill, {"reason": "x"}, "is in_review and cannot be killed: readers do not have it; .* spike"),
        (decisions.restore, {}, "is in_review and cannot be restored: only what is spiked is"),
    ],
)
def test_what_readers_do_not_have_is_not_taken_from_them(
    room: Room, decision: Callable[..., briefings.Standing], words: dict[str, str], error: str
) -> None:
    with pytest.raises(Refused, match=error):
        decide(room, decision, **words)
    assert room.get().state == BriefingState.IN_REVIEW


def test_what_readers_have_is_neither_rejected_nor_spiked_nor_brought_back(room: Room) -> None:
    send(room)
    with pytest.raises(Refused, match="is sent and cannot be sent back"):
        decide(room, decisions.reject, note="x")
    with pytest.raises(Refused, match="is sent and cannot be spiked: readers have it"):
        decide(room, decisions.spike, reason="x")
    decide(room, decisions.kill, reason="x")
    for decision in (decisions.kill, decisions.correct):
        with pytest.raises(Refused, match="that is the end of it"):
            decide(room, decision, reason="x")


def test_a_decision_needs_its_reason_in_one_line_and_somebody_of_the_desk(room: Room) -> None:
    with pytest.raises(BadInput, match="--note WORDS"):
        decide(room, decisions.reject, note=" ")
    with pytest.raises(BadValue, match="line break"):
        decide(room, decisions.spike, reason="one\ntwo")
    with pytest.raises(NotFound, match="newsletter people add"):
        decisions.spike(room.session, "memory-prices", reason="x", actor="root", now=room.now)


def test_a_comment_stands_beside_the_text_and_voids_nothing(room: Room) -> None:
    approve(room)
    made = comments.add(room.session, "memory-prices", "Says who?", place="key points 2", actor="ines", now=room.now)
    assert (made.place, made.current, made.revision) == ("Key points 2", True, 1)
    assert approvals.require(room.session, "memory-prices", now=room.now)
    room.write(title="A better title")
    room.refresh()
    assert [(each.text, each.current) for each in comments.all(room.session, "memory-prices")] == [("Says who?", False)]
    assert [entry.summary for entry in briefings.history(room.session, "memory-prices")][-3].endswith("on Key points 2")


def test_a_comment_on_a_part_that_is_not_there_names_those_that_are(room: Room) -> None:
    def say(text: str, place: str = "") -> None:
        comments.add(room.session, "memory-prices", text, place=place, actor="ines", now=room.now)

    with pytest.raises(NotFound, match="no part 'titel'; did you mean 'title'"):
        say("x", "titel")
    with pytest.raises(NotFound, match="the parts are title, introduction"):
        say("x", "zzz")
    for text in ("", "  ", "a\x00b", "x" * 4001):
        with pytest.raises(BadInput, match="1 to 4000 characters"):
            say(text)


def test_the_changes_since_the_approval_are_told_line_by_line(room: Room) -> None:
    with pytest.raises(NotFound, match="nobody has approved briefing memory-prices yet"):
        changes.since_approval(room.session, "memory-prices")
    approve(room)
    room.write(title="A better title")
    room.refresh()
    room.write(title="The best title")
    room.refresh()
    found = changes.since(room.session, "memory-prices")
    assert (found.before, found.after, found.approved_by) == (1, 3, "jonas")
    assert "+# The best title" in found.lines
    assert "-# A better title" not in found.lines
    step = changes.since_revision(room.session, "memory-prices")
    assert (step.before, step.after) == (2, 3)
    assert "-# A better title" in step.lines
    assert changes.since_revision(room.session, "memory-prices", 3).lines == ()
    with pytest.raises(NotFound, match="has no revision 9; it has 1 to 3"):
        changes.since_revision(room.session, "memory-prices", 9)
