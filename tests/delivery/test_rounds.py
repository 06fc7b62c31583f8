"""Rounds: what goes on by itself, and what waits for a person."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from newsletter import db
from newsletter.delivery import controls, ledger, relays, rounds, schedules, stops, subject_tests
from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.rounds import Due, Round, Why
from newsletter.delivery.sending import Order
from newsletter.delivery.shares import Share
from newsletter.delivery.tables import AUDIENCE, LIST
from newsletter.editorial import people
from newsletter.errors import Blocked, Refused, RelayError
from newsletter.issues.models import Issue, IssueState
from newsletter.rendering.models import Rendering
from tests.delivery import desk
from tests.delivery.desk import KEYRING, email
from tests.delivery.room import Room


def look(room: Room) -> Round:
    with db.transaction(room.engine) as session:
        return rounds.look(session, room.settings, now=room.clock())


def why(room: Room) -> list[Why]:
    return [due.why for due in look(room).due]


def go(room: Room) -> list[tuple[Why, str, int]]:
    """Do what there is to do; return why, the state, and how many wait."""
    done = []
    for due in look(room).due:
        status = rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock)
        assert status
        done.append((due.why, status.state.value, status.waiting))
    return done


def put_off(room: Room, *numbers: int) -> None:
    late = {email(number) for number in numbers}
    room.server.rcpt = lambda address: "450 4.2.0 greylisted" if address in late else None


def test_a_copy_that_was_put_off_goes_out_when_it_is_due_and_not_before(room: Room) -> None:
    room.make(4)
    put_off(room, 2)
    assert room.send().waiting == 1
    put_off(room)
    room.clock.tick(minutes=4)
    assert go(room) == []
    room.clock.tick(minutes=1)
    assert go(room) == [(Why.RETRY, "sent", 0)]
    assert sorted(room.server.recipients) == [email(1), email(2), email(3), email(4)]
    assert go(room) == []


@pytest.mark.parametrize(
    ("stop", "expected"),
    [(Stop.NONE, [Why.INTERRUPTED]), (Stop.INTERRUPTED, [Why.INTERRUPTED]), (Stop.WAITING, [Why.RETRY]),
     (Stop.ASKED, []), (Stop.BREAKER, []), (Stop.PART, [])],
)  # fmt: skip
def test_the_reason_of_a_pause_decides(room: Room, stop: Stop, expected: list[Why]) -> None:
    room.make(3)
    put_off(room, 2)
    room.send()
    room.clock.tick(minutes=5)
    with db.transaction(room.engine) as session:
        stops.write(session, room.issue, stop)
    assert why(room) == expected


def test_an_issue_whose_sender_died_goes_on_unless_somebody_asked_for_a_pause(room: Room) -> None:
    room.make(3)
    put_off(room, 2)
    room.send()
    with db.transaction(room.engine) as session:
        session.execute(update(Issue).values(state=IssueState.SENDING))
        gone = {"worker": ledger.worker_of(4999999), "lease_until": room.clock() + timedelta(seconds=30)}
        session.execute(update(AUDIENCE).values(**gone, stop=Stop.NONE))
    assert why(room) == [Why.INTERRUPTED]
    with db.transaction(room.engine) as session:
        session.execute(update(AUDIENCE).values(ask=Ask.PAUSE))
    assert why(room) == []


def test_an_issue_that_somebody_sends_is_busy(room: Room) -> None:
    room.make(3)
    put_off(room, 2)
    room.send()
    room.clock.tick(minutes=5)
    with db.transaction(room.engine) as session:
        lives = {"worker": "elsewhere:1:7", "lease_until": room.clock() + timedelta(seconds=30)}
        session.execute(update(AUDIENCE).values(**lives))
    found = look(room)
    assert (found.due, found.busy) == ((), (room.issue,))
    due = Due(issue=room.issue, why=Why.RETRY, order=Order(), actor="mara")
    assert rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock) is None


def test_a_relay_in_passing_trouble_is_tried_again_after_a_while(room: Room) -> None:
    room.make(3)
    room.server.mail = lambda _address: "451 4.3.2 overloaded"
    with pytest.raises(RelayError):
        room.send()
    room.server.mail = lambda _address: None
    assert why(room) == []
    room.clock.tick(minutes=15)
    assert go(room) == [(Why.RELAY, "sent", 0)]


def test_a_relay_that_refused_for_good_waits_for_a_person(room: Room) -> None:
    room.make(3)
    room.server.mail = lambda _address: "550 5.7.1 we do not know you"
    with pytest.raises(RelayError):
        room.send()
    room.clock.tick(days=1)
    assert why(room) == []
    with db.transaction(room.engine) as session:
        relays.note(session, {"main": None}, now=room.clock())
    assert why(room) == [Why.RELAY]


def on_trial(room: Room, *, decide: str = "clicks") -> None:
    """Send the share of a trial of two subjects."""
    room.make(20)
    with db.transaction(room.engine) as session:
        sha256 = replace(desk.RENDERED, alternatives=("Or so",)).sha256([])
        session.execute(update(Issue).values(rendering=sha256, alternatives=["Or so"]))
        session.execute(update(Rendering).values(sha256=sha256, alternatives=["Or so"]))
        session.execute(update(LIST).values(track_clicks=True))
    status = room.send(share=Share(sample=0.2, decide=decide, hours=2))
    assert (status.sent, status.waiting) == (4, 16)


def test_the_rest_gets_the_subject_that_won_when_its_hours_are_over(room: Room) -> None:
    on_trial(room)
    room.clock.tick(hours=1)
    assert go(room) == []
    room.clock.tick(hours=1)
    assert go(room) == [(Why.WINNER, "sent", 0)]
    assert len(set(room.server.recipients)) == 20


def test_the_rest_does_not_go_without_a_word_as_its_sender_died_when_the_share_was_out(room: Room) -> None:
    on_trial(room, decide="hand")
    with db.transaction(room.engine) as session:
        session.execute(update(Issue).values(state=IssueState.SENDING))
        stops.write(session, room.issue, Stop.NONE)
    assert why(room) == []


def test_the_rest_goes_when_a_person_has_chosen_and_is_retried_as_the_rest(room: Room) -> None:
    on_trial(room, decide="hand")
    room.clock.tick(days=1)
    assert go(room) == []
    with db.transaction(room.engine) as session:
        subject_tests.choose(session, room.issue, 1, actor="mara", now=room.clock())
    late = next(each for each, (state, _) in room.states.items() if state == "pending")
    room.server.rcpt = lambda address: "450 4.2.0 greylisted" if address == late else None
    assert go(room) == [(Why.WINNER, "paused", 1)]
    room.server.rcpt = lambda _address: None
    room.clock.tick(minutes=5)
    assert go(room) == [(Why.RETRY, "sent", 0)]
    subjects = [each.data.partition(b"Subject: ")[2].partition(b"\r\n")[0] for each in room.server.accepted]
    assert subjects.count(b"Or so") == 18


def scheduled(room: Room, order: Order) -> None:
    with db.transaction(room.engine) as session:
        at = room.clock() + timedelta(days=1)
        people.add(session, "mara", now=room.clock())
        schedules.add(session, room.issue, at, zone="UTC", terms=rounds.terms(order), actor="mara", now=room.clock())


def test_a_scheduled_send_keeps_what_was_ordered(room: Room) -> None:
    room.make(3)
    order = Order(lists=["weekly"], segments=["near"], rehearsed=True, share=Share(sample=0.1, decide="hand", hours=3))
    scheduled(room, order)
    assert look(room).due == ()
    room.clock.tick(days=1)
    (due,) = look(room).due
    assert (due.issue, due.why, due.order, due.actor) == (room.issue, Why.SCHEDULED, order, "mara")


def test_a_scheduled_send_that_is_blocked_begins_nothing_and_waits(room: Room) -> None:
    room.make(3)
    scheduled(room, Order(lists=["weekly"]))
    room.clock.tick(days=1)
    (due,) = look(room).due
    with pytest.raises(Blocked, match="issue 1 was to begin, and cannot be sent"):
        rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock)
    assert len(look(room).due) == 1
    with db.transaction(room.engine) as session:
        people.remove(session, "mara", actor="mara", now=room.clock())
    with pytest.raises(Refused, match="mara works here no more"):
        rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock)


def test_a_time_that_passed_unseen_is_told_once(room: Room) -> None:
    room.make(3)
    scheduled(room, Order(lists=["weekly"]))
    room.clock.tick(days=2)
    found = look(room)
    assert (found.due, [each.issue for each in found.missed]) == ((), [room.issue])
    assert look(room).missed == ()


def test_a_paused_issue_goes_on_only_after_it_was_resumed(room: Room) -> None:
    room.make(3)
    put_off(room, 2)
    room.send()
    room.clock.tick(minutes=5)
    with db.transaction(room.engine) as session:
        controls.pause(session, room.issue, actor="mara", now=room.clock())
    assert why(room) == []
    with db.transaction(room.engine) as session:
        controls.resume(session, room.issue, actor="mara", now=room.clock())
    assert why(room) == [Why.INTERRUPTED]
