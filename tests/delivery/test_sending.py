"""The send, against a real server: nobody skipped, nobody twice."""

import time
from collections import Counter

import pytest
from sqlalchemy import delete, update

from newsletter import audit, db
from newsletter.delivery import dispatch, sending
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.pulse import Pulse
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import DELIVERY, SUBSCRIBER
from newsletter.errors import Refused, RelayError, SettingsError
from newsletter.issues.models import IssueState
from newsletter.rendering.models import Rendering
from subscribers import suppressions
from subscribers.models import Frequency, SuppressionReason
from subscribers.upsert import table
from tests.delivery import desk
from tests.delivery.desk import email
from tests.delivery.lint import lint
from tests.delivery.room import Room, at_port, everyone
from tests.support.smtp import DROP, free_port


def test_everyone_gets_one_message_and_the_issue_closes(room: Room) -> None:
    room.make(25)
    room.sending(batch=10)
    told: list[Pulse] = []
    status = room.send(progress=told.append)
    assert (status.state, status.audience, status.sent, status.waiting, status.resent) == (
        IssueState.SENT,
        25,
        25,
        0,
        0,
    )
    assert room.server.recipients == everyone(25)
    assert set(room.states.values()) == {("sent", "")}
    assert {pulse.audience for pulse in told} == {25}
    assert (told[0].accounted, told[-1].accounted, told[-1].sent) == (0, 25, 25)
    assert [lane.name for lane in told[-1].lanes] == ["main"]
    for received in room.server.accepted:
        message = lint(received.data)
        assert message["To"] == received.recipient
        assert received.sender.endswith("@bounces.harbour.example")
    assert len({received.message_id for received in room.server.accepted}) == 25
    assert list(room.settings.path("journal").iterdir()) == []
    assert room.who("sent")[0].reply == "250 2.0.0 Ok: queued"
    with db.reading(room.engine) as session:
        actions = [entry.action for entry in audit.entries(session, "issue", room.issue)]
    assert actions == ["sending", "planned", "sent"]


def test_a_second_send_of_a_sent_issue_refuses_and_says_what_to_do(room: Room) -> None:
    room.make(3)
    room.send()
    with pytest.raises(Refused, match=r"issue 1 is already sent.*newsletter compose"):
        room.send()
    assert len(room.server.accepted) == 3


def test_a_plan_made_first_is_what_is_sent(room: Room) -> None:
    room.make(4)
    now = room.clock()
    plan = sending.plan(room.engine, room.settings, room.issue, Order(lists=["weekly"]), actor="mara", now=now)
    assert plan.size == 4
    assert room.status().state is IssueState.SENDING
    told: list[tuple[int, bool]] = []
    assert room.send(tell=lambda plan: told.append((plan.size, plan.new))).sent == 4
    assert told == [(4, False)]


def test_the_record_says_who_began_and_who_went_on(room: Room) -> None:
    room.make(3)
    room.server.rcpt = lambda address: "450 4.2.0 greylisted" if address == email(2) else None
    room.send()
    room.server.rcpt = lambda address: None
    room.clock.tick(minutes=6)
    sending.send(room.engine, room.settings, room.issue, keyring=desk.KEYRING, actor="jonas", clock=room.clock)
    with db.reading(room.engine) as session:
        done = [(entry.action, entry.actor) for entry in audit.entries(session, "issue", room.issue)]
    began, went_on = ["sending", "planned", "paused"], ["resumed", "sent"]
    assert done == [(action, "mara") for action in began] + [(action, "jonas") for action in went_on]


def test_an_audience_that_nobody_rehearsed_is_refused_where_that_is_asked_for(room: Room) -> None:
    room.make(3)
    with pytest.raises(Refused, match="had no dry run"):
        room.send(rehearsed=True)
    assert room.status().state is IssueState.FROZEN
    assert room.server.seen == []


def test_an_altered_rendering_is_not_sent(room: Room) -> None:
    room.make(3)
    with db.transaction(room.engine) as session:
        session.execute(update(table(Rendering)).values(html="<p>something else</p>"))
    with pytest.raises(Refused, match="not the one that was frozen"):
        room.send()
    assert room.server.seen == []
    assert room.status().state is IssueState.FROZEN


def test_a_desk_without_an_address_or_a_relay_sends_nothing(room: Room) -> None:
    room.make(3)
    settings = room.settings
    for section, value, words in (
        ("publication", settings.publication.model_copy(update={"postal_address": ""}), "a send needs postal_address"),
        ("relay", (), "a send needs a relay"),
        ("publication", settings.publication.model_copy(update={"public_url": ""}), "a send needs public_url"),
    ):
        room.settings = settings.model_copy(update={section: value})
        room.settings._folder = settings.folder
        with pytest.raises(SettingsError, match=words):
            room.send()
    assert room.status().state is IssueState.FROZEN
    assert not room.planned()


def test_whoever_leaves_complains_or_has_another_during_the_send_gets_nothing_that_is_not_on_the_wire(
    room: Room,
) -> None:
    """Within a claimed batch, and in a batch that is not claimed yet."""
    room.make(20)
    room.sending(batch=10)

    def meanwhile(address: str) -> None:
        if address != email(3):
            return
        now = room.clock()
        with db.transaction(room.engine) as session:
            for number in (2, 4, 15):  # the second has its copy already
                desk.leave(session, number, now)
            for number in (5, 16):
                suppressions.add(session, email(number), reason=SuppressionReason.COMPLAINT, source="x", now=now)
            for number in (7, 18):
                suppressions.add(
                    session, email(number), reason=SuppressionReason.MANUAL, source="x", list="weekly", now=now
                )
            for number in (8, 19):
                desk.wants(session, number, Frequency.WEEKLY)
                desk.had(session, number, now)
            for number in (6, 17):
                session.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.email == email(number)))
        time.sleep(dispatch.FRESH)

    room.server.data = meanwhile
    status = room.send()
    gone = {email(number) for number in (4, 5, 6, 7, 8, 15, 16, 17, 18, 19)}
    assert sorted(room.server.recipients) == sorted(set(everyone(20)) - gone)
    assert (status.state, status.audience, status.sent, status.skipped) == (IssueState.SENT, 20, 10, 10)
    assert status.reasons["skipped"] == {
        "erased": 2, "frequency: weekly": 2, "suppressed: complaint": 2, "suppressed: manual": 2, "unsubscribed": 2,
    }  # fmt: skip
    assert [each.email for each in room.who("skipped")].count("(erased)") == 2


def test_a_greylisted_reader_is_put_off_and_gets_it_with_a_later_send(room: Room) -> None:
    room.make(5)
    greylist = {email(2), email(4)}
    room.server.rcpt = lambda address: "450 4.2.0 greylisted" if address in greylist else None
    status = room.send()
    assert (status.state, status.sent, status.deferred) == (IssueState.PAUSED, 3, 2)
    assert status.note == (
        "2 readers wait for another attempt, the first from 2026-11-02 09:05 UTC; then run: newsletter send 1"
    )
    assert [(each.email, each.reason, each.reply) for each in room.who("deferred")] == [
        (email(2), "transient", "450 4.2.0 greylisted"),
        (email(4), "transient", "450 4.2.0 greylisted"),
    ]
    greylist.clear()
    room.clock.tick(minutes=4)
    assert room.send().sent == 3  # too early
    room.clock.tick(minutes=1)
    status = room.send()
    assert (status.state, status.sent, status.deferred, status.note) == (IssueState.SENT, 5, 0, "")
    assert sorted(room.server.recipients) == everyone(5)


def test_whoever_comes_due_while_the_send_runs_is_sent_to(room: Room) -> None:
    room.make(4)
    replies = iter(["450 4.2.0 greylisted"])
    room.server.rcpt = lambda _address: next(replies, None)
    room.server.data = lambda address: room.clock.tick(minutes=2)
    status = room.send()
    assert (status.state, status.sent) == (IssueState.SENT, 4)
    assert room.server.recipients == [email(2), email(3), email(4), email(1)]


def test_a_reader_put_off_to_the_deadline_has_failed(room: Room) -> None:
    room.make(2)
    room.server.rcpt = lambda address: "450 4.2.0 no" if address == email(1) else None
    room.send()
    with db.transaction(room.engine) as session:  # two days of the schedule later
        late = {"attempts": 17, "waited": 48 * 3600}
        session.execute(update(DELIVERY).where(DELIVERY.c.state == DeliveryState.DEFERRED).values(late))
    room.clock.tick(hours=4)
    assert room.send().state is IssueState.SENT
    assert room.states == {email(1): ("failed", "expired"), email(2): ("sent", "")}


def test_421_in_the_middle_charges_one_reader_at_most(room: Room) -> None:
    room.make(12)
    hang = iter([None] * 5 + ["421 4.3.2 shutting down"])
    room.server.rcpt = lambda _address: next(hang, None)
    status = room.send()
    assert (status.state, status.sent) == (IssueState.SENT, 12)
    assert room.server.recipients == everyone(12)
    assert room.server.connections == 2


def test_a_dead_address_is_suppressed_and_nothing_else_is(room: Room) -> None:
    room.make(6)
    replies = {
        email(2): "550 5.1.1 <reader2@example.com>: User unknown",
        email(3): "552 5.2.2 mailbox full",
        email(4): "550 mailbox unavailable",
    }
    room.server.rcpt = replies.get
    room.server.data = lambda address: "552 5.3.4 too big" if address == email(5) else None
    status = room.send()
    assert (status.state, status.sent, status.failed) == (IssueState.SENT, 2, 4)
    assert status.reasons == {"failed": {"address": 1, "mailbox_full": 1, "refused": 1, "content": 1}}
    with db.reading(room.engine) as session:
        (view,) = suppressions.all(session)
    assert (view.email, view.reason) == (email(2), SuppressionReason.HARD_BOUNCE)
    assert view.source == "issue 1: 550 5.1.1 <reader2@example.com>: User unknown"


@pytest.mark.parametrize(
    ("moment", "reply", "temporary"),
    [
        ("mail", "550 5.1.8 Sender address rejected", False),
        ("mail", "451 4.3.0 no disk", True),
    ],
)
def test_a_refusal_by_the_relay_pauses_the_issue_and_fails_nobody(
    room: Room, moment: str, reply: str, temporary: bool
) -> None:
    room.make(8)
    replies = iter([None] * 3 + [reply])
    setattr(room.server, moment, lambda _address: next(replies, None))
    with pytest.raises(RelayError, match=r"refuses issue 1, not its readers.*go on: newsletter send 1") as refusal:
        room.send()
    assert refusal.value.temporary is temporary
    status = room.status()
    assert (status.state, status.sent, status.pending, status.failed) == (IssueState.PAUSED, 3, 5, 0)
    assert reply in status.note
    assert status.worker == ""
    with db.reading(room.engine) as session:
        assert suppressions.all(session) == []
    (refused,) = [each for each in room.who("pending") if each.reply]
    assert (refused.email, refused.reply, refused.attempts) == (email(4), reply, 0)
    status = room.send()
    assert (status.state, status.sent) == (IssueState.SENT, 8)
    assert room.server.recipients == [*everyone(3), *everyone(8)[4:], email(4)]  # the refused one no longer first


@pytest.mark.parametrize("batch", [1, 2, 4, 100])
def test_content_refused_three_times_in_a_row_is_the_issues_fault(room: Room, batch: int) -> None:
    room.make(9)
    room.sending(batch=batch)
    room.server.data = lambda _address: "552 5.3.4 message too big" if len(room.server.accepted) >= 2 else None
    with pytest.raises(RelayError, match=r"552 5.3.4 message too big"):
        room.send()
    status = room.status()
    assert (status.state, status.sent, status.failed, status.pending) == (IssueState.PAUSED, 2, 0, 7)
    assert len(room.server.seen) == 5


def test_a_relay_that_is_away_leaves_everyone_waiting(room: Room) -> None:
    room.make(3)
    room.settings = at_port(room.settings, free_port())
    with pytest.raises(RelayError, match="cannot be reached: Connection refused") as refusal:
        room.send()
    assert refusal.value.temporary
    status = room.status()
    assert (status.state, status.pending, status.failed) == (IssueState.PAUSED, 3, 0)
    assert "Connection refused" in status.note
    assert {each.attempts for each in room.who("pending")} == {0}
    room.settings = at_port(room.settings, room.server.port)
    assert room.send().sent == 3


def test_a_drop_after_the_dot_is_sent_again_under_the_same_id(room: Room) -> None:
    room.make(6)
    drops = {email(2), email(5)}

    def drop_once(address: str) -> str | None:
        if address not in drops:
            return None
        drops.remove(address)
        return DROP

    room.server.data = drop_once
    status = room.send()
    assert (status.state, status.sent, status.resent) == (IssueState.SENT, 6, 2)
    assert sorted(room.server.recipients) == everyone(6)
    copies = Counter((each.recipient, each.message_id) for each in room.server.seen)
    assert {who: count for (who, _), count in copies.items()} == {
        each: 1 + (each in (email(2), email(5))) for each in everyone(6)
    }
    bytes_of = {each.recipient: each.data for each in room.server.seen[:2]}
    assert room.server.accepted[-2].data == bytes_of[email(2)]
    assert status.reasons == {"sent": {"resent": 2}}


def test_a_drop_after_the_dot_is_held_where_the_desk_says_so(room: Room) -> None:
    room.make(6)
    room.sending(on_unknown="hold")
    room.server.data = lambda address: DROP if address == email(2) else None
    status = room.send()
    assert (status.state, status.sent, status.unknown, status.resent) == (IssueState.SENT, 5, 1, 0)
    assert [each.recipient for each in room.server.seen].count(email(2)) == 1
    (held,) = room.who("unknown")
    assert held.email == email(2)
    assert "no reply to the final dot" in held.reply


def test_a_relay_that_always_drops_after_the_dot_gets_few_copies(room: Room) -> None:
    room.make(20)
    room.server.data = lambda _address: DROP
    for _ in range(3):
        with pytest.raises(RelayError, match="hung up 3 times in a row"):
            room.send()
    assert len(room.server.seen) == 9
    assert max(Counter(each.recipient for each in room.server.seen).values()) <= 2


def test_an_address_that_cannot_be_mailed_fails_alone(room: Room) -> None:
    room.make(3)
    with db.transaction(room.engine) as session:
        session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.email == email(2)).values(email="a\r\nb@example.com"))
    status = room.send()
    assert (status.state, status.sent, status.failed) == (IssueState.SENT, 2, 1)
    (failed,) = room.who("failed")
    assert failed.reason == "address"


def test_an_issue_whose_ledger_lost_a_row_does_not_close(room: Room) -> None:
    room.make(5)

    def lose(address: str) -> None:
        if address == email(1):
            with db.transaction(room.engine) as session:
                session.execute(delete(DELIVERY).where(DELIVERY.c.id == 5))

    room.server.data = lose
    room.sending(batch=2)
    with pytest.raises(Refused, match="issue 1 cannot close: its audience is 5, and 4 are accounted for"):
        room.send()
    status = room.status()
    assert (status.state, status.worker, status.died) == (IssueState.PAUSED, "", "")
    assert "cannot close" in status.note
