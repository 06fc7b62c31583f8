"""Waivers: a warning about one exact text may stand, for a reason, by somebody who had no hand in the text."""

from typing import Any

import pytest

from newsletter.editorial import approvals, briefings, reports, waivers
from newsletter.editorial.gate import Severity
from newsletter.editorial.models import BriefingState
from newsletter.editorial.waivers import WaiverView
from newsletter.errors import BadInput, Blocked, NotFound, Refused
from tests.editorial.conftest import GOOD, Room
from tests.editorial.evidence import PLAIN, bring

BLOCK = ("N1",)


@pytest.fixture
def desk(room: Room) -> Room:
    """Return the room with a source that says none of the briefing's names."""
    bring(room.session, PLAIN)
    return room


def waive(
    room: Room, rule: str = "N1", *, actor: str = "ines", reason: str = "It is public.", **more: Any
) -> WaiverView:
    terms = {"solo": False, "block": BLOCK, **more}
    return waivers.waive(room.session, "memory-prices", rule, reason=reason, actor=actor, now=room.now, **terms)


def approve(room: Room) -> approvals.ApprovalView:
    return approvals.approve(room.session, "memory-prices", actor="jonas", solo=False, block=BLOCK, now=room.now)


def test_a_waived_warning_blocks_no_more_and_stays_in_the_report(desk: Room) -> None:
    with pytest.raises(Blocked, match="block N1"):
        approve(desk)
    waiver = waive(desk)
    view = approve(desk)
    kept = reports.of(desk.session, "memory-prices", view.report or 0)
    (finding,) = [each for each in kept.findings if each.rule == "N1"]
    assert (finding.severity, finding.waived) == (Severity.INFO, "ines: It is public.")
    assert str(finding).endswith("(waived by ines: It is public.)")
    assert waivers.all(desk.session, "memory-prices") == [waiver]
    (entry,) = [each for each in briefings.history(desk.session, "memory-prices") if each.action == "waived"]
    assert (entry.actor, entry.detail["rule"], entry.detail["sha256"]) == ("ines", "N1", view.sha256)
    assert "rule N1" in entry.summary


def test_an_edit_voids_it(desk: Room) -> None:
    waive(desk)
    desk.write(title="A better title")
    desk.refresh()
    assert waivers.all(desk.session, "memory-prices") == []
    with pytest.raises(Blocked, match="block N1"):
        briefings.submit(desk.session, "memory-prices", actor="mara", block=BLOCK, now=desk.now)


def test_nobody_waives_for_their_own_text_but_at_a_solo_desk(desk: Room) -> None:
    with pytest.raises(Refused, match="mara cannot waive N1 for briefing memory-prices: they are its author"):
        waive(desk, actor="mara")
    assert waive(desk, actor="mara", solo=True).solo is True


def test_what_blocks_by_itself_is_not_waived(desk: Room) -> None:
    bring(desk.session, GOOD.what_happened, title="Another")
    with pytest.raises(Refused, match="what O1 finds in briefing memory-prices blocks and cannot be waived"):
        waive(desk, "O1")
    with pytest.raises(Refused, match="rule L1 never warns"):
        waive(desk, "L1")


def test_there_must_be_something_to_waive_and_a_reason(desk: Room) -> None:
    with pytest.raises(Refused, match="nothing to waive of rule A3 .* it finds nothing there"):
        waive(desk, "A3")
    with pytest.raises(NotFound, match="no rule 'n1'; did you mean N1"):
        waive(desk, "n1")
    with pytest.raises(BadInput, match="a waiver needs a reason"):
        waive(desk, reason="  ")
    waive(desk)
    with pytest.raises(Refused, match="waived already, by ines: It is public"):
        waive(desk)


def test_a_settled_text_has_nothing_to_waive(desk: Room) -> None:
    waive(desk)
    approve(desk)
    briefings.mark_sent(desk.session, ["memory-prices"], issue_id=1, actor="ines", now=desk.now)
    assert desk.get().state == BriefingState.SENT
    with pytest.raises(Refused, match="is sent; its text is settled"):
        waive(desk)
