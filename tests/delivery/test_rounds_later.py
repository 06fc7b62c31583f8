"""Rounds: what people and other passes do between a look and the sending counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import controls, inspection, rounds, schedules, sending, stops
from newsletter.delivery.models import Made, Stop
from newsletter.delivery.report import Status
from newsletter.delivery.rounds import Due, Why
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import EDITION
from newsletter.issues.models import IssueState
from tests.delivery import desk
from tests.delivery.desk import KEYRING, email
from tests.delivery.room import Room
from tests.delivery.test_rounds import go, look, put_off, scheduled

Act = Callable[[Session, Room], object]


def take_up(room: Room, due: Due) -> Status | None:
    return rounds.take_up(room.engine, room.settings, due, keyring=KEYRING, clock=room.clock)


def later(room: Room, act: Act) -> Status | None:
    """Look, then let something happen, then take up the one issue that was due."""
    (due,) = look(room).due
    happens(room, act)
    return take_up(room, due)


def happens(room: Room, act: Act) -> None:
    with db.transaction(room.engine) as session:
        act(session, room)


def pause(session: Session, room: Room) -> None:
    assert controls.pause(session, room.issue, actor="jonas", now=room.clock())


def trip(session: Session, room: Room) -> None:
    stops.write(session, room.issue, Stop.BREAKER)


@pytest.mark.parametrize(("act", "stop"), [(pause, Stop.ASKED), (trip, Stop.BREAKER)])
def test_an_issue_that_was_stopped_since_the_look_does_not_go_on(room: Room, act: Act, stop: Stop) -> None:
    room.make(3)
    put_off(room, 2)
    room.send()
    put_off(room)
    room.clock.tick(minutes=5)
    assert later(room, act) is None
    status = room.status()
    assert (status.state, status.stop, status.waiting) == (IssueState.PAUSED, stop, 1)
    assert email(2) not in room.server.recipients


def test_an_issue_that_is_paused_while_another_of_the_same_pass_goes_out_stays_paused(room: Room) -> None:
    first = room.make(3)
    with db.transaction(room.engine) as session:
        second = desk.make_issue(session, room.clock(), rendered=replace(desk.RENDERED, subject="Another"))
    order = Order(lists=["weekly"])
    for each in (first, second):
        sending.plan(room.engine, room.settings, each, order, actor="mara", now=room.clock())
    room.issue = second
    room.server.rcpt = lambda _address: None if room.server.seen else happens(room, pause)
    found = look(room).due
    assert [(each.issue, each.why) for each in found] == [(first, Why.INTERRUPTED), (second, Why.INTERRUPTED)]
    done = [take_up(room, each) for each in found]
    assert [each and each.state for each in done] == [IssueState.SENT, None]
    assert (room.status().state, room.status().stop) == (IssueState.PAUSED, Stop.ASKED)
    assert len(room.server.recipients) == 3


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Hold nothing against an issue, as it has no items; what is in the list happens while it is looked at."""
    then: list[Callable[[], object]] = []

    def inspect(*_args: object, **_words: object) -> list[Any]:
        for act in then:
            act()
        return []

    monkeypatch.setattr(inspection, "inspect", inspect)
    return then


def forget(session: Session, room: Room) -> None:
    schedules.remove(session, room.issue, actor="jonas", now=room.clock())


def put_later(session: Session, room: Room) -> None:
    again(session, room, timedelta(hours=1), "weekly")


def readdress(session: Session, room: Room) -> None:
    again(session, room, timedelta(), "monthly")


def again(session: Session, room: Room, ahead: timedelta, name: str) -> None:
    schedules.add(
        session, room.issue, room.clock() + ahead, zone="UTC", terms=rounds.terms(Order(lists=[name])), replace=True,
        actor="mara", now=room.clock(),
    )  # fmt: skip


def miss(session: Session, room: Room) -> None:
    schedules.due(session, room.clock() + timedelta(days=1), timedelta(hours=6))


def recur(session: Session, room: Room) -> None:
    """Let the issue be one that came by itself, and that nobody has cleared."""
    words = {"at": room.clock(), "made": Made.ISSUE, "issue_id": room.issue, "sends": True, "note": ""}
    session.execute(insert(EDITION).values(name="daily", made_at=room.clock(), **words))


def test_an_issue_begins_when_its_hour_has_come(room: Room, fit: list[Callable[[], object]]) -> None:
    room.make(3)
    scheduled(room, Order(lists=["weekly"]))
    room.clock.tick(days=1)
    assert go(room) == [(Why.SCHEDULED, "sent", 0)]


@pytest.mark.parametrize("act", [forget, put_later, readdress, miss, recur])
@pytest.mark.parametrize("last", [False, True])
def test_an_issue_whose_time_is_not_that_any_more_does_not_begin(
    room: Room, fit: list[Callable[[], object]], act: Act, last: bool
) -> None:
    """It may happen as late as between the last look at what blocks the issue and the send."""
    room.make(3)
    scheduled(room, Order(lists=["weekly"]))
    room.clock.tick(days=1)
    if last:
        fit.append(lambda: happens(room, act))
    assert later(room, (lambda *_: None) if last else act) is None
    assert not room.planned()
    assert room.server.recipients == []
