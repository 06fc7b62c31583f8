"""What a person asks holds, also where the sender that was asked does not live to hear it."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from sqlalchemy import update

from newsletter import audit, db
from newsletter.delivery import controls, ledger, recovery, rounds, stops
from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.rounds import Why
from newsletter.delivery.shares import Share
from newsletter.delivery.tables import AUDIENCE
from newsletter.errors import DatabaseError, Refused, RelayError
from newsletter.issues.models import Issue, IssueState
from tests.delivery.desk import KEYRING, email
from tests.delivery.room import Room, everyone
from tests.delivery.test_rounds import go, look, put_off, why


def cancel(room: Room) -> bool:
    return controls.cancel(room.engine, room.settings, room.issue, actor="jonas", now=room.clock())


def pause(room: Room) -> bool:
    with db.transaction(room.engine) as session:
        return controls.pause(session, room.issue, actor="jonas", now=room.clock())


def resume(room: Room) -> None:
    with db.transaction(room.engine) as session:
        controls.resume(session, room.issue, actor="mara", now=room.clock())


def ask(room: Room) -> Ask:
    with db.reading(room.engine) as session:
        return stops.ask_of(session, room.issue)


def unheard(room: Room, act: Callable[[Room], bool]) -> None:
    """Ask something of a sender that has one reader left, and let it die then."""
    room.make(4)
    put_off(room, 2)
    room.send()
    put_off(room)
    with db.transaction(room.engine) as session:
        session.execute(update(Issue).values(state=IssueState.SENDING))
        lives = {"worker": "elsewhere:1:7", "lease_until": room.clock() + ledger.LEASE}
        session.execute(update(AUDIENCE).values(**lives, stop=""))
    assert not act(room)
    room.clock.tick(minutes=6)


def test_an_issue_is_given_up_in_the_name_of_who_asked_its_dead_sender_to(room: Room) -> None:
    unheard(room, cancel)
    assert go(room) == [(Why.CANCEL, "cancelled", 0)]
    assert room.states[email(2)] == ("skipped", "cancelled")
    assert room.status().note == "cancelled by jonas: 3 of 4 have it"
    assert email(2) not in room.server.recipients
    with db.reading(room.engine) as session:
        done = [(each.action, each.actor) for each in audit.entries(session, "issue", room.issue)]
    assert done[-2:] == [("cancel asked", "jonas"), ("cancelled", "jonas")]
    assert (ask(room), look(room).due) == (Ask.NONE, ())


def test_a_person_cannot_send_what_a_dead_sender_was_to_give_up_until_the_word_is_taken_back(room: Room) -> None:
    unheard(room, cancel)
    for _ in range(2):
        with pytest.raises(
            Refused, match="to be cancelled, as jonas asked; do so: newsletter issues cancel 1, or take"
        ):
            room.send()
    resume(room)
    assert room.send().state is IssueState.SENT
    assert sorted(room.server.recipients) == everyone(4)


@pytest.mark.parametrize("act", [resume, pause])
def test_a_word_that_was_taken_back_since_the_look_gives_nothing_up(room: Room, act: Callable[[Room], object]) -> None:
    unheard(room, cancel)
    (due,) = look(room).due
    act(room)
    assert rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock) is None
    assert room.status().waiting == 1


def test_an_issue_whose_new_sender_hears_that_it_is_given_up_is_left_to_it(room: Room) -> None:
    unheard(room, cancel)
    (due,) = look(room).due
    with db.transaction(room.engine) as session:
        ledger.take(session, room.issue, worker="elsewhere:1:8", now=room.clock())
    assert rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock) is None
    assert ask(room) is Ask.CANCEL


def test_a_cancel_that_died_half_way_is_ended_by_the_next_pass(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.make(4)
    put_off(room, 2)
    room.send()
    put_off(room)
    with monkeypatch.context() as patch, pytest.raises(DatabaseError):
        patch.setattr(recovery, "recover", failing)
        cancel(room)
    room.clock.tick(minutes=6)
    assert go(room) == [(Why.CANCEL, "cancelled", 0)]
    assert email(2) not in room.server.recipients


def failing(*_args: object, **_words: object) -> None:
    raise DatabaseError("the database restarts")


@pytest.mark.parametrize(
    ("act", "note", "found", "state"),
    [(pause, "paused by jonas; go on: newsletter resume 1; its sender ended: the database restarts", [], "paused"),
     (cancel, "to be cancelled, as jonas asked: newsletter issues cancel 1; its sender ended: the database restarts",
      [Why.CANCEL], "cancelled")],
)  # fmt: skip
def test_what_was_asked_of_a_sender_that_an_error_ends_is_done_all_the_same(
    room: Room, monkeypatch: pytest.MonkeyPatch, act: Callable[[Room], bool], note: str, found: list[Why], state: str
) -> None:
    room.make(6)
    begun, done, ended, hear = Event(), Event(), Event(), ledger.ask

    def third(address: str) -> None:
        if address == email(3):
            begun.set()
            assert not act(room)
            done.set()
            ended.wait(20)

    def deaf(*args: Any, **words: Any) -> ledger.Answer:
        answer = hear(*args, **words)
        if begun.is_set():
            done.wait(20)
            ended.set()
            failing()
        return answer

    room.server.rcpt = third
    with monkeypatch.context() as patch, pytest.raises(DatabaseError):
        patch.setattr(ledger, "ask", deaf)
        room.send()
    assert ended.is_set()
    assert (room.status().state, room.status().note) == (IssueState.PAUSED, note)
    had = len(room.server.recipients)
    assert why(room) == found
    go(room)
    assert (room.status().state, len(room.server.recipients)) == (state, had)
    if act is pause:
        resume(room)
        room.server.rcpt = lambda _address: None
        assert [each[1] for each in go(room)] == ["sent"]


def test_what_the_breaker_stopped_waits_for_a_person_though_its_sender_dies_before_it_ends(room: Room) -> None:
    room.make(8)
    room.relay(connections=4)
    found: list[Why] = []
    notes: list[str] = []

    def data(_address: str) -> str | None:
        if len(room.server.seen) <= 3:
            return "554 5.6.0 we do not like it"
        until = time.monotonic() + 20
        while standing(room) is not Stop.BREAKER and time.monotonic() < until:
            time.sleep(0.05)
        notes.append(room.status().note)
        room.clock.tick(minutes=2)  # as if nothing were heard of the sender any more
        found.extend(why(room))
        return None

    room.server.data = data
    with pytest.raises(RelayError, match="refused 3 times in a row"):
        room.send()
    assert {each.startswith("what the issue says was refused 3 times in a row") for each in notes} == {True}
    assert (standing(room), found, room.status().failed) == (Stop.BREAKER, [], 0)


def standing(room: Room) -> Stop:
    with db.reading(room.engine) as session:
        return stops.of(session, room.issue)


def test_a_limited_send_that_an_error_ends_does_not_go_on_to_everybody(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.make(6)
    with monkeypatch.context() as patch, pytest.raises(DatabaseError):
        patch.setattr(ledger, "claim", failing)
        room.send(share=Share(limit=2))
    assert (room.status().state, standing(room)) == (IssueState.PAUSED, Stop.PART)
    assert why(room) == []
