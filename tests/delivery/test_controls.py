"""Pause, resume, cancel: at once where nobody sends, by asking where somebody does; nobody is lost by it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import Engine, select, update
from sqlmodel import Session

from newsletter import audit, db
from newsletter.delivery import controls, ledger, planning, schedules, stops
from newsletter.delivery.journal import Journal
from newsletter.delivery.ledger import Hold
from newsletter.delivery.models import Ask, DeliveryState, Stop
from newsletter.delivery.replies import Kind, Outcome
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.editorial import approvals, briefings, people
from newsletter.editorial.models import BriefingState
from newsletter.errors import Refused
from newsletter.issues import choosing, issues
from newsletter.issues.models import Issue, IssueState, Item
from newsletter.settings import Settings
from tests.delivery import desk
from tests.delivery.room import Room, everyone
from tests.support.texts import briefing


def on_its_way(engine: Engine, now: datetime, count: int = 6, *, state: IssueState = IssueState.SENDING) -> int:
    """Make an issue whose audience is planned."""
    issue = desk.make(engine, now, count)
    with db.transaction(engine) as session:
        planning.plan(session, issue, lists=["weekly"], segments=[], batch=3, actor="mara", now=now)
        session.execute(update(Issue).values(state=state))
    return issue


def asked(session: Session) -> tuple[Ask, str]:
    row = session.execute(select(AUDIENCE.c.ask, AUDIENCE.c.asked_by)).one()
    return row.ask, row.asked_by


def lives(session: Session, now: datetime) -> None:
    worker = {"worker": ledger.this_worker(), "lease_until": now + timedelta(seconds=30)}
    session.execute(update(AUDIENCE).values(**worker))


def wrote(settings: Settings, issue: int, fence: int, batch: int, *, done: int, begun: int) -> None:
    """Leave the journal that a sender left when it died in its second message."""
    journal = Journal(settings.path("journal"), issue, fence=fence, batch=batch)
    journal.began(done)
    journal.done(done, Outcome(Kind.SENT, 250, "2.0.0 queued"))
    journal.began(begun)
    journal.close()


def test_an_issue_that_nobody_sends_is_paused_at_once(engine: Engine, now: datetime) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        assert controls.pause(session, issue, actor="jonas", now=now)
        view = issues.get(session, issue)
        assert (view.state, view.note) == (IssueState.PAUSED, "paused by jonas; go on: newsletter resume 1")
        assert stops.of(session, issue) is Stop.ASKED
        assert controls.resume(session, issue, actor="jonas", now=now)
        assert stops.of(session, issue) is Stop.NONE
        done = [entry.action for entry in audit.entries(session, "issue", issue)]
        assert done == ["planned", "paused", "resume asked"]


def test_a_sender_that_runs_is_asked_and_the_request_can_be_taken_back(engine: Engine, now: datetime) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        lives(session, now)
        assert not controls.pause(session, issue, actor="jonas", now=now)
        assert asked(session) == (Ask.PAUSE, "jonas")
        assert issues.get(session, issue).state is IssueState.SENDING
        assert not controls.resume(session, issue, actor="jonas", now=now)
        assert asked(session)[0] is Ask.NONE


def test_a_pause_of_what_waits_for_another_attempt_keeps_it_from_going_on_by_itself(
    engine: Engine, now: datetime
) -> None:
    issue = on_its_way(engine, now, state=IssueState.PAUSED)
    with db.transaction(engine) as session:
        stops.write(session, issue, Stop.WAITING)
        assert controls.pause(session, issue, actor="jonas", now=now)
        assert stops.of(session, issue) is Stop.ASKED


def test_a_resume_of_what_nobody_paused_leaves_the_reason(engine: Engine, now: datetime) -> None:
    issue = on_its_way(engine, now, state=IssueState.PAUSED)
    with db.transaction(engine) as session:
        stops.write(session, issue, Stop.BREAKER)
        assert controls.resume(session, issue, actor="jonas", now=now)
        assert stops.of(session, issue) is Stop.BREAKER


@pytest.mark.parametrize("act", [controls.pause, controls.resume])
def test_only_an_issue_on_its_way_can_be_paused_or_resumed(engine: Engine, now: datetime, act: object) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        with pytest.raises(Refused, match="issue 1 is frozen, and only one on its way .* newsletter send 1"):
            act(session, issue, actor="mara", now=now)  # type: ignore[operator]
        at, terms = now + timedelta(days=1), {"lists": ["weekly"]}
        schedules.add(session, issue, at, zone="UTC", terms=terms, actor="mara", now=now)
        with pytest.raises(Refused, match="newsletter schedule remove 1"):
            act(session, issue, actor="mara", now=now)  # type: ignore[operator]


def test_a_cancelled_issue_accounts_for_everybody(engine: Engine, settings: Settings, now: datetime) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        for key, (state, reason) in enumerate(
            [(DeliveryState.SENT, ""), (DeliveryState.DEFERRED, "transient"), (DeliveryState.PENDING, "resent"),
             (DeliveryState.FAILED, "address")], start=1,
        ):  # fmt: skip
            session.execute(update(DELIVERY).where(DELIVERY.c.id == key).values(state=state, reason=reason))
    assert controls.cancel(engine, settings, issue, actor="jonas", now=now)
    assert sorted(desk.states(engine, issue).values()) == [
        ("failed", "address"), ("sent", ""), ("skipped", "cancelled"), ("skipped", "cancelled"),
        ("skipped", "cancelled"), ("skipped", "cancelled; may have a copy"),
    ]  # fmt: skip
    with db.reading(engine) as session:
        view = issues.get(session, issue)
        assert (view.state, view.note) == (IssueState.CANCELLED, "cancelled by jonas: 1 of 6 have it")
    with pytest.raises(Refused, match="cancelled"):
        controls.cancel(engine, settings, issue, actor="jonas", now=now)


def test_a_sender_that_runs_is_asked_to_stop_before_an_issue_is_cancelled(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        lives(session, now)
    assert not controls.cancel(engine, settings, issue, actor="jonas", now=now)
    with db.reading(engine) as session:
        assert asked(session) == (Ask.CANCEL, "jonas")
        assert issues.get(session, issue).state is IssueState.SENDING


def test_what_a_dead_sender_achieved_is_recorded_before_its_issue_is_cancelled(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        hold = ledger.take(session, issue, worker="gone:1", now=now)
        claimed = ledger.claim(session, hold, batch=3, now=now)
    assert claimed
    first, second, _ = (reader.delivery_id for reader in claimed.readers)
    wrote(settings, issue, hold.fence, claimed.id, done=first, begun=second)
    later = now + 2 * ledger.LEASE
    assert controls.cancel(engine, settings, issue, actor="jonas", now=later)
    found = sorted(desk.states(engine, issue).values())
    assert found == [("sent", ""), *[("skipped", "cancelled")] * 4, ("skipped", "cancelled; may have a copy")]
    assert list(settings.path("journal").glob("*")) == []


def test_an_issue_that_waits_for_its_time_can_be_given_up(engine: Engine, settings: Settings, now: datetime) -> None:
    issue = desk.make(engine, now, 1)
    with db.transaction(engine) as session:
        schedules.add(session, issue, now + timedelta(days=1), zone="UTC", terms={}, actor="mara", now=now)
    assert controls.cancel(engine, settings, issue, actor="jonas", now=now)
    with db.reading(engine) as session:
        assert schedules.all(session) == []
        assert issues.get(session, issue).state is IssueState.CANCELLED


@pytest.mark.parametrize(
    ("state", "reason", "free"),
    [(DeliveryState.SENT, "", False), (DeliveryState.UNKNOWN, "lost", False), (DeliveryState.PENDING, "resent", False),
     (DeliveryState.FAILED, "address", True), (DeliveryState.PENDING, "", True)],
)  # fmt: skip
def test_briefings_are_free_again_only_if_nobody_has_a_copy(
    engine: Engine, settings: Settings, now: datetime, state: DeliveryState, reason: str, free: bool
) -> None:
    issue = on_its_way(engine, now, 2)
    (settings.briefings / "cranes.md").write_text(briefing("cranes", now=now), "utf-8")
    with db.transaction(engine) as session:
        for handle in ("mara", "jonas"):
            people.add(session, handle, now=now)
        briefings.refresh(session, settings.briefings, actor="mara", now=now, only=["cranes"])
        briefings.submit(session, "cranes", actor="mara", now=now)
        sha256 = approvals.approve(session, "cranes", actor="jonas", solo=False, now=now).sha256
        session.add(Item(issue_id=issue, position=1, briefing_id="cranes", sha256=sha256))
        briefings.mark_sent(session, ["cranes"], issue_id=issue, actor="mara", now=now)
        session.execute(update(DELIVERY).where(DELIVERY.c.id == 1).values(state=state, reason=reason))
    controls.cancel(engine, settings, issue, actor="jonas", now=now)
    with db.reading(engine) as session:
        expected = BriefingState.APPROVED if free else BriefingState.SENT
        assert briefings.get(session, "cranes").state is expected
        assert choosing.choose(session, now=now).picks == (("cranes",) if free else ())


def in_the_middle(room: Room, act: Callable[[], object]) -> None:
    """Let the server do something at the fifth message, and be slow enough for a sender to notice before its end."""
    room.make(60)
    room.sending(batch=10)

    def slowly(_address: str) -> None:
        time.sleep(0.02)
        if len(room.server.accepted) == 4:
            act()

    room.server.data = slowly


def in_a_thread(act: Callable[[], object], answers: list[object]) -> Callable[[], Thread]:
    """Return what does something beside the sender, and keeps what it came to."""

    def begin() -> Thread:
        thread = Thread(target=lambda: answers.append(act()), daemon=True)
        thread.start()
        return thread

    return begin


def test_a_sender_that_is_asked_to_pause_stops_in_good_order_and_loses_nobody(room: Room) -> None:
    def pause() -> bool:
        return controls.pause_soon(room.engine, room.issue, patience=9, actor="jonas", clock=room.clock)

    answers: list[object] = []
    in_the_middle(room, in_a_thread(pause, answers))
    status = room.send()
    assert (status.state, status.sending) == (IssueState.PAUSED, 0)
    assert 5 <= status.sent < 60
    assert "paused by jonas" in status.note
    room.server.data = lambda _address: None
    wait_for(answers)
    with db.transaction(room.engine) as session:
        assert stops.of(session, room.issue) is Stop.ASKED
        assert controls.resume(session, room.issue, actor="jonas", now=room.clock())
    assert room.send().state is IssueState.SENT
    assert sorted(room.server.recipients) == sorted(everyone(60))


def test_a_sender_that_is_asked_to_cancel_stops_and_accounts_for_everybody(room: Room) -> None:
    def cancel() -> bool:
        where = (room.engine, room.settings, room.issue)
        return controls.cancel_soon(*where, patience=9, actor="jonas", clock=room.clock)

    answers: list[object] = []
    in_the_middle(room, in_a_thread(cancel, answers))
    status = room.send()
    assert (status.state, status.waiting) == (IssueState.CANCELLED, 0)
    assert status.sent + status.skipped == 60
    assert 5 <= status.sent == len(room.server.recipients) < 60
    assert status.reasons["skipped"] == {"cancelled": status.skipped}
    wait_for(answers)


def wait_for(answers: list[object]) -> None:
    until = time.monotonic() + 9
    while not answers and time.monotonic() < until:
        time.sleep(0.01)
    assert answers == [True]


def test_a_pause_that_a_sender_did_not_hear_before_its_end_is_done_after_it(engine: Engine, now: datetime) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        lives(session, now)
        hold = Hold(issue_id=issue, fence=0, worker=ledger.this_worker())

    def end() -> None:
        time.sleep(0.2)
        with db.transaction(engine) as session:
            issues.move(session, issue, IssueState.PAUSED, since=(IssueState.SENDING,), note="1 reader waits")
            stops.write(session, issue, Stop.WAITING)
            ledger.release(session, hold)

    ending = Thread(target=end)
    ending.start()
    assert controls.pause_soon(engine, issue, patience=9, actor="jonas", clock=lambda: now)
    ending.join()
    with db.reading(engine) as session:
        assert stops.of(session, issue) is Stop.ASKED
        assert issues.get(session, issue).note.startswith("paused by jonas")


def test_a_sender_that_does_not_stop_in_time_is_told(engine: Engine, settings: Settings, now: datetime) -> None:
    issue = on_its_way(engine, now)
    with db.transaction(engine) as session:
        lives(session, now)
    assert not controls.pause_soon(engine, issue, patience=0, actor="jonas", clock=lambda: now)
    assert not controls.cancel_soon(engine, settings, issue, patience=0, actor="jonas", clock=lambda: now)
