"""The ledger: who may send, who is next, and what may be written."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from newsletter import db
from newsletter.delivery import journal, ledger, planning, recovery, results
from newsletter.delivery.journal import Journal
from newsletter.delivery.ledger import Batch, Hold
from newsletter.delivery.models import BatchState, DeliveryState
from newsletter.delivery.replies import Kind, Moment, Outcome, read
from newsletter.delivery.results import Change
from newsletter.delivery.tables import BATCH, DELIVERY, LIST
from newsletter.errors import Refused
from newsletter.transport import Sending
from subscribers import suppressions
from subscribers.models import SuppressionReason
from tests.delivery import desk
from tests.delivery.desk import email

SENT = Outcome(Kind.SENT, 250, "2.0.0 Ok")


class Room:
    """A planned issue and a sender that holds it."""

    def __init__(self, engine: Engine, now: datetime, *, count: int = 10, batch: int = 4) -> None:
        self.engine, self.now, self.size = engine, now, batch
        self.issue = desk.make(engine, now, count)
        with db.transaction(engine) as session:
            planning.plan(session, self.issue, lists=["weekly"], segments=[], batch=batch, actor="mara", now=now)

    def take(self, worker: str = "elsewhere:1", *, now: datetime | None = None) -> Hold:
        with db.transaction(self.engine) as session:
            return ledger.take(session, self.issue, worker=worker, now=now or self.now)

    def claim(self, hold: Hold, *, now: datetime | None = None) -> Batch | None:
        with db.transaction(self.engine) as session:
            return ledger.claim(session, hold, batch=self.size, now=now or self.now)

    def record(self, hold: Hold, batch: Batch, changes: dict[int, Change]) -> None:
        with db.transaction(self.engine) as session:
            ledger.record(session, hold, batch.id, changes, now=self.now)

    def outcome(self, outcome: Outcome) -> Change:
        return results.settle(outcome, attempts=0, resent=False, policy=results.policy(Sending()), now=self.now)


@pytest.fixture
def room(engine: Engine, now: datetime) -> Room:
    return Room(engine, now)


def numbers(batch: Batch | None) -> list[int]:
    assert batch
    return [int(reader.email.removeprefix("reader").partition("@")[0]) for reader in batch.readers]


def test_each_batch_is_claimed_once(room: Room) -> None:
    hold = room.take()
    batches = [room.claim(hold) for _ in range(4)]
    assert [numbers(batch) for batch in batches[:3]] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert batches[3] is None
    assert set(desk.states(room.engine, room.issue).values()) == {("sending", "")}


def test_a_claim_leaves_out_whoever_left_was_suppressed_or_erased(room: Room, now: datetime) -> None:
    with db.transaction(room.engine) as session:
        desk.leave(session, 1, now)
        suppressions.add(session, email(2), reason=SuppressionReason.MANUAL, source="asked by phone", now=now)
        suppressions.add(session, email(3), reason=SuppressionReason.MANUAL, source="asked by phone", now=now)
        suppressions.lift(session, email(3), by="mara", now=now)
    batch = room.claim(room.take())
    assert numbers(batch) == [3, 4]
    assert batch
    assert batch.skipped == 2
    found = desk.states(room.engine, room.issue)
    assert found[email(1)] == ("skipped", "unsubscribed")
    assert found[email(2)] == ("skipped", "suppressed: manual")


def test_leaving_one_list_does_not_bring_the_copy_by_another(room: Room, now: datetime) -> None:
    with db.transaction(room.engine) as session:
        desk.make_list(session, now, 10, name="alerts")
        with session.no_autoflush:
            desk.leave(session, 1, now)
    assert numbers(room.claim(room.take())) == [2, 3, 4]


def test_an_objection_is_found_right_before_a_message(room: Room, now: datetime) -> None:
    hold = room.take()
    batch = room.claim(hold)
    assert batch
    keys = [reader.delivery_id for reader in batch.readers]
    with db.transaction(room.engine) as session:
        desk.leave(session, 2, now)
        suppressions.add(session, email(3), reason=SuppressionReason.COMPLAINT, source="x", now=now)
    with db.reading(room.engine) as session:
        answer = ledger.ask(session, hold, keys, now=now)
    assert answer.objections == {keys[1]: "unsubscribed", keys[2]: "suppressed: complaint"}


def test_what_is_suppressed_on_one_list_goes_out_by_another(room: Room, now: datetime) -> None:
    def suppress(number: int, *, on: str, reason: SuppressionReason = SuppressionReason.MANUAL) -> None:
        with db.transaction(room.engine) as session:
            suppressions.add(session, email(number), reason=reason, source="x", list=on, now=now)

    with db.transaction(room.engine) as session:
        desk.make_list(session, now, 10, name="alerts")
    suppress(1, on="weekly")
    suppress(2, on="alerts")
    hold = room.take()
    batch = room.claim(hold)
    assert numbers(batch) == [2, 3, 4]
    assert desk.states(room.engine, room.issue)[email(1)] == ("skipped", "suppressed: manual")
    assert batch
    suppress(2, on="weekly")
    suppress(2, on="", reason=SuppressionReason.COMPLAINT)  # of two that stand, the one for everywhere is told
    suppress(3, on="alerts")
    with db.reading(room.engine) as session:
        answer = ledger.ask(session, hold, [reader.delivery_id for reader in batch.readers], now=now)
    assert answer.objections == {batch.readers[0].delivery_id: "suppressed: complaint"}


def test_a_claim_knows_the_identifier_of_the_list(room: Room) -> None:
    with db.transaction(room.engine) as session:
        session.execute(update(LIST).values(identifier="weekly.lists.example.org"))
    batch = room.claim(room.take())
    assert batch
    assert {(each.list_name, each.list_identifier) for each in batch.readers} == {
        ("weekly", "weekly.lists.example.org")
    }


def test_a_live_sender_keeps_the_issue_until_its_lease_ends(room: Room, now: datetime) -> None:
    first = room.take()
    with pytest.raises(Refused, match=r"is being sent by elsewhere:1.*after 09:01:00 UTC"):
        room.take("other:2", now=now + timedelta(seconds=59))
    second = room.take("other:2", now=now + timedelta(seconds=60))
    assert second.fence == first.fence + 1


def test_a_sender_of_this_host_keeps_the_issue_while_its_process_lives(room: Room) -> None:
    room.take(ledger.this_worker())
    with pytest.raises(Refused, match=f"being sent by {ledger.this_worker()}"):
        room.take(ledger.this_worker())


def test_a_dead_process_of_this_host_loses_the_issue_at_once(room: Room) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    room.take(ledger.worker_of(dead.pid))
    assert room.take().fence == 2


def test_a_killed_process_that_nobody_has_buried_loses_the_issue_too(room: Room) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    assert killed.stdout
    killed.stdout.readline()
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table of processes
    room.take(ledger.worker_of(killed.pid))
    assert room.take().fence == 2
    killed.communicate()


def test_a_sender_gives_the_issue_back(room: Room) -> None:
    hold = room.take()
    with db.transaction(room.engine) as session:
        ledger.release(session, hold)
    with db.reading(room.engine) as session:
        assert ledger.holder(session, room.issue, now=room.now) == ("", False)
    room.take()


def writes(room: Room, hold: Hold, batch: Batch) -> list[Callable[[], object]]:
    def reading(act: Callable[..., object], *more: object) -> Callable[[], object]:
        def call() -> None:
            with db.transaction(room.engine) as session:
                act(session, hold, *more)

        return call

    key = batch.readers[0].delivery_id
    return [
        lambda: room.claim(hold),
        lambda: room.record(hold, batch, {key: room.outcome(SENT)}),
        reading(ledger.release),
        reading(lambda session, hold: ledger.ask(session, hold, [key], now=room.now)),
        reading(lambda session, hold: ledger.renew(session, hold, now=room.now)),
    ]


def test_a_zombie_can_write_nothing(room: Room, now: datetime) -> None:
    zombie = room.take()
    batch = room.claim(zombie)
    assert batch
    room.take("other:2", now=now + timedelta(minutes=2))
    for write in writes(room, zombie, batch):
        with pytest.raises(Refused, match="another sender has taken issue 1 over from elsewhere:1"):
            write()
    assert {state for state, _ in desk.states(room.engine, room.issue).values()} == {"sending", "pending"}
    with db.reading(room.engine) as session:
        assert ledger.holder(session, room.issue, now=now) == ("other:2", True)


def test_what_a_batch_came_to_is_written_and_the_rest_waits_again(room: Room, now: datetime) -> None:
    hold = room.take()
    batch = room.claim(hold)
    assert batch
    one, two, three, _ = (reader.delivery_id for reader in batch.readers)
    changes = {
        one: room.outcome(SENT),
        two: room.outcome(read(Moment.RCPT, 450, "4.2.0 later")),
        three: room.outcome(read(Moment.RCPT, 550, "5.1.1 nobody\0 there")),
    }
    room.record(hold, batch, changes)
    query = select(
        DELIVERY.c.state, DELIVERY.c.reason, DELIVERY.c.reply, DELIVERY.c.attempts, DELIVERY.c.due_at,
        DELIVERY.c.batch_id == batch.id,
    ).order_by(DELIVERY.c.id).limit(4)  # fmt: skip
    with db.reading(room.engine) as session:
        rows = [tuple(row) for row in session.execute(query)]
        assert session.execute(select(BATCH.c.state).where(BATCH.c.id == batch.id)).scalar() is BatchState.DONE
    assert rows == [
        (DeliveryState.SENT, "", "250 2.0.0 Ok", 1, None, True),
        (DeliveryState.DEFERRED, "transient", "450 4.2.0 later", 1, now + timedelta(minutes=5), None),
        (DeliveryState.FAILED, "address", "550 5.1.1 nobody there", 1, None, True),
        (DeliveryState.PENDING, "", "", 0, None, None),
    ]
    later = now + timedelta(minutes=5)
    assert [numbers(room.claim(hold, now=later)) for _ in range(3)] == [[5, 6, 7, 8], [9, 10], [4]]
    assert numbers(room.claim(hold, now=later)) == [2]  # retries come last, in a batch of their own


def test_every_reply_is_written_as_it_was_said_and_with_its_relay(room: Room) -> None:
    hold = room.take()
    batch = room.claim(hold)
    assert batch
    keys = [reader.delivery_id for reader in batch.readers]
    texts = ['2.0.0 "Ok"', "2.0.0 C:\\u0041 {} für 🦆", "2.0.0 it's\tdone\0", "2.0.0 " + "x" * 2000]
    changes = {key: room.outcome(Outcome(Kind.SENT, 250, text)) for key, text in zip(keys, texts, strict=True)}
    with db.transaction(room.engine) as session:
        ledger.record(session, hold, batch.id, changes, relays={keys[0]: "main", keys[1]: "other"}, now=room.now)
        written = session.execute(select(DELIVERY.c.reply, DELIVERY.c.relay).order_by(DELIVERY.c.id).limit(4)).all()
    replies = [f"250 {text}".replace("\0", "")[:1000] for text in texts]
    assert written == list(zip(replies, ["main", "other", "", ""], strict=True))


def test_an_issue_closes_only_when_everyone_is_accounted_for(room: Room, now: datetime) -> None:
    hold = room.take()
    with pytest.raises(Refused, match=r"audience is 10, and 0 are accounted for \(10 pending\).*newsletter status 1"):
        _close(room, now)
    while batch := room.claim(hold):
        room.record(hold, batch, {reader.delivery_id: room.outcome(SENT) for reader in batch.readers[:3]})
        if len(batch.readers) < 4:
            break
    with pytest.raises(Refused, match=r"audience is 10, and 8 are accounted for \(2 pending, 8 sent\)"):
        _close(room, now)


def _close(room: Room, now: datetime) -> None:
    with db.transaction(room.engine) as session:
        ledger.close(session, room.issue, actor="mara", now=now)


def test_a_journal_that_is_replayed_counts_the_waits_there_were(room: Room, tmp_path: Path) -> None:
    dead = room.take()
    batch = room.claim(dead)
    assert batch
    one, two = (reader.delivery_id for reader in batch.readers[:2])
    with db.transaction(room.engine) as session:
        session.execute(update(DELIVERY).where(DELIVERY.c.id == two).values(waited=48 * 3600))
    book = Journal(tmp_path, room.issue, fence=dead.fence, batch=1)
    for key in (one, two):
        book.done(key, read(Moment.RCPT, 450, "4.2.0 later"))
    recovered(room, tmp_path, "resend")
    found = desk.states(room.engine, room.issue)
    assert (found[email(1)], found[email(2)]) == (("deferred", "transient"), ("failed", "expired"))
    with db.reading(room.engine) as session:
        waits = session.execute(select(DELIVERY.c.waited).where(DELIVERY.c.id.in_((one, two))).order_by(DELIVERY.c.id))
        assert list(waits.scalars()) == [5 * 60, 48 * 3600]


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_a_dead_senders_journal_is_replayed(room: Room, tmp_path: Path, on_unknown: results.OnUnknown) -> None:
    dead = room.take()
    batch = room.claim(dead)
    assert batch
    one, two, three, _ = (reader.delivery_id for reader in batch.readers)
    book = Journal(tmp_path, room.issue, fence=dead.fence, batch=1)
    for key in (one, two):
        book.began(key)
    book.done(one, SENT)
    book.done(three, read(Moment.RCPT, 450, "4.2.0 later"))
    book._write(b"done %d sen" % two)  # torn
    assert recovered(room, tmp_path, on_unknown) == (book.path,)
    found = desk.states(room.engine, room.issue)
    assert found[email(1)] == ("sent", "")
    assert found[email(2)] == (("pending", "resent") if on_unknown == "resend" else ("unknown", "lost"))
    assert found[email(3)] == ("deferred", "transient")
    assert found[email(4)] == ("pending", "")


@pytest.mark.parametrize("lost", ["the journal is gone", "the power was cut"])
def test_without_a_whole_journal_what_was_claimed_may_have_been_sent(room: Room, tmp_path: Path, lost: str) -> None:
    dead = room.take()
    batch = room.claim(dead)
    assert batch
    book = Journal(tmp_path, room.issue, fence=dead.fence, batch=1)
    book.done(batch.readers[0].delivery_id, SENT)
    if lost == "the journal is gone":
        book.path.unlink()
    else:
        book.path.write_bytes(b"boot of long ago\n" + book.path.read_bytes().partition(b"\n")[2])
    recovered(room, tmp_path, "resend")
    found = desk.states(room.engine, room.issue)
    assert found[email(1)] == (("sent", "") if lost == "the power was cut" else ("pending", "resent"))
    assert [found[email(number)] for number in (2, 3, 4)] == [("pending", "resent")] * 3
    assert [found[email(number)] for number in (5, 10)] == [("pending", "")] * 2


def recovered(room: Room, folder: Path, on_unknown: results.OnUnknown) -> tuple[Path, ...]:
    hold = room.take("other:2", now=room.now + timedelta(minutes=2))
    with db.transaction(room.engine) as session:
        policy = results.policy(Sending(on_unknown=on_unknown))
        return recovery.recover(session, hold, folder, policy=policy, actor="mara", now=room.now)


def test_the_journals_of_claims_that_came_to_nothing_go_with_those_of_the_dead(room: Room, tmp_path: Path) -> None:
    dead = room.take()
    nothing = Journal(tmp_path, room.issue, fence=dead.fence, batch=77)
    newer = Journal(tmp_path, room.issue, fence=dead.fence + 1, batch=1)
    other = Journal(tmp_path, 10 * room.issue, fence=dead.fence, batch=77)
    assert recovered(room, tmp_path, "resend") == (nothing.path,)
    assert newer.path.exists()
    assert other.path.exists()


def test_with_nothing_left_behind_there_is_nothing_to_recover(room: Room, tmp_path: Path) -> None:
    assert recovered(room, tmp_path, "resend") == ()
    assert journal.read(tmp_path, room.issue, fence=1, batch=1).done == {}


def test_a_copy_in_flight_at_one_death_after_another_goes_out_again_at_once(room: Room, tmp_path: Path) -> None:
    for _ in range(3):
        dead = room.take(now=room.now + timedelta(minutes=4))
        book = Journal(tmp_path, room.issue, fence=dead.fence, batch=1)
        while batch := room.claim(dead):
            for reader in batch.readers:
                if reader.email == email(1):
                    book.began(reader.delivery_id)
        hold = room.take("other:2", now=room.now + timedelta(minutes=8))
        with db.transaction(room.engine) as session:
            recovery.recover(session, hold, tmp_path, policy=results.policy(Sending()), actor="mara", now=room.now)
            ledger.release(session, hold)
        assert desk.states(room.engine, room.issue)[email(1)] == ("pending", "resent")
