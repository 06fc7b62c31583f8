"""Approvals: one person's yes to one exact text, and never to one's own unless the record says so."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from newsletter.discovery import feeds, inbox
from newsletter.discovery.models import ItemState
from newsletter.editorial import approvals, briefings, decisions, people, standings
from newsletter.editorial.approvals import ApprovalView
from newsletter.editorial.models import Approval, BriefingState
from newsletter.errors import Blocked, NotFound, Refused
from tests.editorial.conftest import GOOD, Room


def approve(room: Room, actor: str, *, solo: bool = False, **more: Any) -> ApprovalView:
    return approvals.approve(room.session, "memory-prices", actor=actor, solo=solo, now=room.now, **more)


def edit(room: Room, title: str, *, actor: str, submitter: str) -> None:
    """Edit the text, and hand it over again."""
    room.write(title=title)
    room.refresh(actor=actor)
    room.submit(actor=submitter)


def test_another_person_approves_the_exact_text(room: Room) -> None:
    view = approve(room, "jonas", note="checked the numbers")
    standing = room.get()
    assert (standing.state, standing.approved_by) == (BriefingState.APPROVED, ("jonas",))
    row = room.session.exec(select(Approval)).one()
    assert (row.sha256, row.revision, row.person, row.solo, row.note, row.at) == (
        standing.sha256, 1, "jonas", False, "checked the numbers", room.now,
    )  # fmt: skip
    assert approvals.standing(room.session, "memory-prices") == view
    assert approvals.require(room.session, "memory-prices", sha256=standing.sha256, now=room.now) == view
    entry = briefings.history(room.session, "memory-prices")[-1]
    assert (entry.action, entry.detail["sha256"], entry.detail["solo"]) == ("approved", standing.sha256, False)
    assert entry.summary.endswith("checked the numbers")


def test_nobody_approves_their_own_text(room: Room) -> None:
    with pytest.raises(Refused, match="mara cannot approve briefing memory-prices: they are its author; ask somebody"):
        approve(room, "mara")
    assert room.get().state == BriefingState.IN_REVIEW
    assert room.session.exec(select(Approval)).all() == []


def test_who_edited_it_does_not_approve_it(room: Room) -> None:
    edit(room, "A better title", actor="jonas", submitter="mara")
    with pytest.raises(Refused, match=r"revision 2 of 2026-11-02 09:00 is recorded under their name"):
        approve(room, "jonas")
    assert approve(room, "ines").person == "ines"


def test_who_submitted_it_does_not_approve_it(room: Room) -> None:
    edit(room, "A better title", actor="mara", submitter="ines")
    with pytest.raises(Refused, match="they submitted it"):
        approve(room, "ines")
    assert approve(room, "jonas").person == "jonas"


def test_an_editor_of_an_earlier_approved_text_may_approve_the_next(room: Room) -> None:
    edit(room, "A better title", actor="jonas", submitter="mara")
    approve(room, "ines")
    edit(room, "The best title", actor="mara", submitter="mara")
    assert approve(room, "jonas").revision == 3


def test_a_solo_desk_approves_its_own_text_and_says_so(room: Room) -> None:
    view = approve(room, "mara", solo=True)
    assert view.solo
    assert room.session.exec(select(Approval.solo)).one() is True
    entry = briefings.history(room.session, "memory-prices")[-1]
    assert entry.detail["solo"] is True
    assert "solo: the approver had a hand in the text" in entry.summary


def test_at_a_solo_desk_a_second_person_s_yes_is_no_solo(room: Room) -> None:
    assert not approve(room, "jonas", solo=True).solo


def test_a_stranger_does_not_approve_even_at_a_solo_desk(room: Room) -> None:
    with pytest.raises(NotFound, match="newsletter people add root"):
        approve(room, "root", solo=True)


def test_only_what_is_in_review_is_approved(room: Room) -> None:
    room.write(title="A better title")
    room.refresh()
    for actor in ("jonas", "mara"):
        with pytest.raises(Refused, match="is a draft; hand it over first: newsletter briefings submit memory-prices"):
            approve(room, actor)
    room.submit()
    approve(room, "jonas")
    with pytest.raises(Refused, match="is approved already"):
        approve(room, "ines")


def test_the_gate_is_asked_again_at_the_approval(room: Room) -> None:
    stale = GOOD.sources[0].retrieved
    assert stale is not None
    room.now = stale - timedelta(days=1)  # a clock that was put back: the source now lies in the future
    with pytest.raises(Blocked, match="in the future"):
        approve(room, "jonas")
    assert room.get().state == BriefingState.IN_REVIEW


def test_a_yes_to_a_text_that_has_changed_meanwhile_does_not_count(room: Room) -> None:
    seen = room.get()
    edit(room, "A better title", actor="mara", submitter="mara")
    with pytest.raises(Refused, match="briefing memory-prices is in review"):
        standings.move(room.session, seen, BriefingState.APPROVED, since=(BriefingState.IN_REVIEW,), now=room.now)
    assert room.get().state == BriefingState.IN_REVIEW


def test_what_nobody_approved_is_refused_with_the_way_on(room: Room) -> None:
    with pytest.raises(Refused, match="nobody has said yes to it; another person approves it: newsletter briefings ap"):
        approvals.require(room.session, "memory-prices")
    room.write(title="A better title")
    room.refresh()
    with pytest.raises(Refused, match="nobody has said yes to it; newsletter briefings submit memory-prices"):
        approvals.require(room.session, "memory-prices")


def test_what_changed_since_is_refused_with_who_and_when(room: Room) -> None:
    approve(room, "jonas")
    room.write(title="A better title")
    room.refresh()
    with pytest.raises(
        Refused, match="it was changed after jonas approved it on 2026-11-02 09:00; newsletter briefings"
    ):
        approvals.require(room.session, "memory-prices")


def test_an_issue_s_text_must_be_the_one_that_is_approved_now(room: Room) -> None:
    first = approve(room, "jonas")
    edit(room, "A better title", actor="mara", submitter="mara")
    second = approve(room, "jonas")
    with pytest.raises(Refused, match="approved again with other words"):
        approvals.require(room.session, "memory-prices", sha256=first.sha256)
    assert approvals.require(room.session, "memory-prices", sha256=second.sha256) == second


def test_an_approved_text_waits_for_its_embargo_and_ends_with_its_expiry(room: Room) -> None:
    day = timedelta(days=1)
    room.write(embargo=room.now + day, expires=room.now + 2 * day)
    room.refresh()
    room.submit()
    view = approve(room, "jonas")
    assert approvals.require(room.session, "memory-prices") == view
    with pytest.raises(Refused, match="under embargo until 2026-11-03 09:00"):
        approvals.require(room.session, "memory-prices", now=room.now)
    assert approvals.require(room.session, "memory-prices", now=room.now + day) == view
    with pytest.raises(Refused, match="expired on 2026-11-04"):
        approvals.require(room.session, "memory-prices", now=room.now + 2 * day)


def test_an_approval_still_holds_after_the_briefing_was_sent(room: Room) -> None:
    view = approve(room, "jonas")
    briefings.mark_sent(room.session, ["memory-prices"], issue_id=1, actor="jonas", now=room.now)
    assert approvals.standing(room.session, "memory-prices") == view


def test_the_source_items_of_an_approved_text_are_used(room: Room) -> None:
    entry = f"<item><title>Memory</title><link>{GOOD.sources[0].url}</link></item>"
    data = f"<rss version='2.0'><channel><title>Wire</title>{entry}</channel></rss>".encode()
    feeds.read(room.session, data, url="https://wire.example.org/rss", name="Wire", now=room.now)
    assert [item.state for item in inbox.all(room.session)] == [ItemState.NEW]
    approve(room, "jonas")
    (item,) = inbox.all(room.session)
    assert (item.state, item.briefing) == (ItemState.USED, "memory-prices")


def test_the_yes_of_somebody_who_left_sends_nothing(room: Room) -> None:
    approve(room, "jonas")
    people.remove(room.session, "jonas", actor="ines", now=room.now)
    with pytest.raises(Refused, match="approved by jonas, who works here no more; .* briefings reject memory-prices"):
        approvals.require(room.session, "memory-prices", now=room.now)
    decisions.reject(room.session, "memory-prices", note="Jonas left.", actor="ines", now=room.now)
    room.submit()
    approve(room, "ines")
    assert approvals.require(room.session, "memory-prices", now=room.now).person == "ines"
    briefings.mark_sent(room.session, ["memory-prices"], issue_id=1, actor="ines", now=room.now)
    people.remove(room.session, "ines", actor="mara", now=room.now)
    assert approvals.require(room.session, "memory-prices").person == "ines"
