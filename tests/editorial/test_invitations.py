"""Invitations: a link for one person, one exact text and one decision, until its date."""

from datetime import timedelta

import pytest
from sqlmodel import select

from newsletter.editorial import briefings, comments, invitations, people
from newsletter.editorial.invitations import InvitationState, Invited
from newsletter.editorial.models import BriefingState, Invitation, Role
from newsletter.errors import BadInput, NotFound, Refused
from tests.editorial.conftest import Room


def invite(room: Room, to: str = "jonas", *, lasts: timedelta = invitations.LASTS) -> Invited:
    return invitations.invite(room.session, "memory-prices", to=to, actor="ines", lasts=lasts, now=room.now)


def state(room: Room, made: Invited, *, later: timedelta = timedelta()) -> InvitationState:
    found = invitations.look(room.session, made.token, now=room.now + later)
    assert found
    return found.state


def test_the_link_of_a_person_says_yes_in_their_name_once(room: Room) -> None:
    made = invite(room)
    answered = invitations.approve(room.session, made.token, note="read twice", now=room.now)
    assert (answered.state, answered.answer, answered.answered_at) == (InvitationState.ANSWERED, "approved", room.now)
    assert room.get().approved_by == ("jonas",)
    assert room.actions()[-3:] == [("ines", "invited"), ("jonas", "approved"), ("jonas", "answered")]
    entry = briefings.history(room.session, "memory-prices")[-1]
    assert (entry.detail["invitation"], entry.detail["sha256"]) == (answered.id, room.get().sha256)
    with pytest.raises(Refused, match="is answered; ask the desk for another"):
        invitations.reject(room.session, made.token, note="no", now=room.now)
    assert room.get().state == BriefingState.APPROVED


def test_a_link_sends_a_text_back_with_what_is_missing(room: Room) -> None:
    invitations.reject(room.session, invite(room).token, note="who counted?", now=room.now)
    assert room.get().state == BriefingState.DRAFT
    entry = briefings.history(room.session, "memory-prices")[-2]
    assert (entry.actor, entry.action, entry.detail["note"]) == ("jonas", "rejected", "who counted?")


def test_a_comment_leaves_the_link_open(room: Room) -> None:
    made = invite(room)
    invitations.comment(room.session, made.token, "Who counted?", place="title", now=room.now)
    assert state(room, made) == InvitationState.OPEN
    assert [(each.person, each.place) for each in comments.all(room.session, "memory-prices")] == [("jonas", "title")]


def test_an_edit_voids_the_link_for_good(room: Room) -> None:
    made = invite(room)
    room.write(title="A better title")
    room.refresh()
    assert state(room, made) == InvitationState.VOID
    room.submit()
    assert state(room, made) == InvitationState.VOID
    with pytest.raises(Refused, match="is void"):
        invitations.approve(room.session, made.token, now=room.now)
    assert room.get().state == BriefingState.IN_REVIEW


def test_a_link_ends_at_its_date_and_when_it_is_taken_back(room: Room) -> None:
    brief, second = invite(room, lasts=timedelta(hours=12)), invite(room)
    assert state(room, brief, later=timedelta(hours=12)) == InvitationState.EXPIRED
    ended = invitations.revoke(room.session, "memory-prices", to="jonas", actor="ines", now=room.now)
    assert [each.state for each in ended] == [InvitationState.REVOKED] * 2
    for made in (brief, second):
        with pytest.raises(Refused, match="is revoked"):
            invitations.approve(room.session, made.token, now=room.now)
    with pytest.raises(NotFound, match="no open link leads to briefing memory-prices"):
        invitations.revoke(room.session, "memory-prices", actor="ines", now=room.now)


def test_who_could_not_approve_is_not_invited(room: Room) -> None:
    with pytest.raises(Refused, match="mara cannot approve briefing memory-prices: they are its author"):
        invite(room, "mara")
    people.edit(room.session, "jonas", roles=[Role.WRITER], actor="ines", now=room.now)
    with pytest.raises(Refused, match="this takes editor or standards"):
        invite(room)


def test_who_lost_the_role_or_left_cannot_answer_any_more(room: Room) -> None:
    made = invite(room)
    people.edit(room.session, "jonas", roles=[Role.SCOUT], actor="ines", now=room.now)
    with pytest.raises(Refused, match="jonas is scout here"):
        invitations.approve(room.session, made.token, now=room.now)
    people.remove(room.session, "jonas", actor="ines", now=room.now)
    with pytest.raises(Refused, match="jonas works here no more"):
        invitations.comment(room.session, made.token, "Hm", now=room.now)


def test_a_reviewer_is_found_by_address(room: Room) -> None:
    people.edit(room.session, "jonas", email="Jonas@desk.example", actor="ines", now=room.now)
    assert invite(room, "jonas@desk.example").invitation.person == "jonas"
    with pytest.raises(NotFound, match="newsletter people add HANDLE --email zoe@desk.example --role standards"):
        invite(room, "zoe@desk.example")


@pytest.mark.parametrize("lasts", [timedelta(), timedelta(days=31)])
def test_a_link_lasts_for_some_days_at_most(room: Room, lasts: timedelta) -> None:
    with pytest.raises(BadInput, match="30 days at most"):
        invite(room, lasts=lasts)


def test_only_a_text_in_review_is_opened_to_anybody(room: Room) -> None:
    room.write(title="A better title")
    room.refresh()
    with pytest.raises(Refused, match="is a draft; hand it over first"):
        invite(room)


def test_the_database_does_not_know_the_token(room: Room) -> None:
    made = invite(room)
    (row,) = room.session.exec(select(Invitation)).all()
    assert made.token not in repr(row.model_dump())
    assert invitations.look(room.session, made.token[:-1], now=room.now) is None
