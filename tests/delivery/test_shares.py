"""Shares of an audience at work: a limit, a sample, the rest, and several subjects on trial."""

from collections import Counter
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select, update

from newsletter import db
from newsletter.delivery import subject_tests
from newsletter.delivery.models import Stop
from newsletter.delivery.shares import Share
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER
from newsletter.errors import Refused
from newsletter.feedback.models import Click, ClickBy
from newsletter.issues.models import Issue, IssueState
from newsletter.rendering.models import Rendering
from tests.delivery import desk
from tests.delivery.room import Room, everyone

OTHERS = ("Or so", "Or else — who knows?", "Or not at all")
REST = Share(rest=True)


def subjects(room: Room, count: int) -> list[str]:
    """Give the issue so many subjects, and return them."""
    others = OTHERS[: count - 1]
    with db.transaction(room.engine) as session:
        sha256 = replace(desk.RENDERED, alternatives=others).sha256([])
        session.execute(update(Issue).values(rendering=sha256, alternatives=list(others)))
        session.execute(update(Rendering).values(sha256=sha256, alternatives=list(others)))
    return [desk.RENDERED.subject, *others]


def got(room: Room) -> dict[str, str]:
    """Return the subject under which each reader has the issue."""
    received = room.server.accepted
    return {each.recipient: str(message_from_bytes(each.data, policy=policy.default)["Subject"]) for each in received}


def variants(room: Room, part: int | None = None) -> dict[str, int]:
    """Return the number of the subject that the ledger has for each reader."""
    query = select(SUBSCRIBER.c.email, DELIVERY.c.variant).join(DELIVERY, DELIVERY.c.subscriber_id == SUBSCRIBER.c.id)
    if part is not None:
        query = query.where(DELIVERY.c.part == part)
    with db.reading(room.engine) as session:
        return dict(session.execute(query).all())


def once(room: Room, count: int) -> bool:
    return sorted(room.server.recipients) == sorted(everyone(count))


@pytest.mark.parametrize("connections", [1, 8])
def test_a_limit_is_kept_exactly_and_the_rest_waits_for_a_word(room: Room, connections: int) -> None:
    room.make(50)
    room.sending(batch=20)
    room.relay(connections=connections)
    for limit, sent in ((7, 7), (30, 37)):
        status = room.send(share=Share(limit=limit))
        assert (status.state, status.stop, status.sent) == (IssueState.PAUSED, Stop.PART, sent)
        assert status.pending == 50 - sent
        with pytest.raises(Refused, match=rf"{50 - sent} wait for a word: newsletter send 1 --rest, or --limit N"):
            room.send()
    assert room.send(share=REST).state is IssueState.SENT
    assert once(room, 50)


def test_a_limit_larger_than_the_audience_is_the_whole(room: Room) -> None:
    room.make(5)
    assert room.send(share=Share(limit=9)).state is IssueState.SENT


def test_a_limit_counts_whom_the_relay_put_off_and_not_whom_it_never_saw(room: Room) -> None:
    room.make(20)
    room.server.rcpt = lambda address: "450 4.2.0 greylisted" if address in everyone(4) else None
    status = room.send(share=Share(limit=10))
    assert (status.sent, status.deferred, status.pending) == (6, 4, 10)


def test_a_sample_is_drawn_exactly_and_the_rest_waits_for_a_word(room: Room) -> None:
    room.make(55)
    room.sending(batch=4)
    room.relay(connections=6)
    status = room.send(share=Share(sample=0.2))
    assert (status.state, status.stop, status.sent, status.pending) == (IssueState.PAUSED, Stop.PART, 11, 44)
    assert set(room.server.recipients) == set(variants(room, part=1))
    with pytest.raises(Refused, match=r"44 wait for a word: newsletter send 1 --rest"):
        room.send()
    with pytest.raises(Refused, match="a sample is drawn before the first copy leaves"):
        room.send(share=Share(sample=0.2))
    assert len(room.server.accepted) == 11
    assert room.send(share=REST).state is IssueState.SENT
    assert once(room, 55)


def test_an_interrupted_sample_goes_on_as_the_sample(room: Room) -> None:
    room.make(50)
    room.server.rcpt = lambda _address: "450 4.2.0 greylisted" if len(room.server.accepted) >= 4 else None
    status = room.send(share=Share(sample=0.2))
    assert (status.stop, status.sent, status.deferred) == (Stop.WAITING, 4, 6)
    room.server.rcpt = lambda _address: None
    room.clock.tick(minutes=6)
    status = room.send()
    assert (status.stop, status.sent, status.pending) == (Stop.PART, 10, 40)
    assert set(room.server.recipients) == set(variants(room, part=1))


@pytest.mark.parametrize("count", [2, 4])
def test_a_sample_gets_every_subject_evenly_and_the_rest_the_one_that_a_person_chooses(room: Room, count: int) -> None:
    room.make(80)
    room.relay(connections=5)
    words = subjects(room, count)
    room.send(share=Share(sample=0.2, decide="hand"))
    sample, received = variants(room, part=1), got(room)
    assert len(sample) == 16
    assert Counter(sample.values()) == dict.fromkeys(range(count), 16 // count)
    assert received == {each: words[number] for each, number in sample.items()}
    with pytest.raises(Refused, match="has no winner yet"):
        room.send(share=REST)
    assert len(room.server.accepted) == 16
    with db.transaction(room.engine) as session:
        subject_tests.choose(session, room.issue, count - 1, actor="jonas", now=room.clock())
    assert room.send(share=REST).state is IssueState.SENT
    rest = {each: subject for each, subject in got(room).items() if each not in sample}
    assert (len(rest), set(rest.values())) == (64, {words[-1]})
    assert set(variants(room, part=0).values()) == {count - 1}
    assert variants(room, part=1) == sample
    assert once(room, 80)


def test_clicks_choose_the_subject_of_the_rest_when_their_hours_are_over(room: Room) -> None:
    room.make(60)
    words = subjects(room, 3)
    trial = Share(sample=0.3, decide="clicks", hours=2)
    with pytest.raises(Refused, match="no list of issue 1 counts clicks"):
        room.send(share=trial)
    assert not room.planned()
    with db.transaction(room.engine) as session:
        session.execute(update(LIST).values(track_clicks=True))
    room.send(share=trial)
    with db.transaction(room.engine) as session:
        query = select(DELIVERY.c.subscriber_id).where(DELIVERY.c.part == 1, DELIVERY.c.variant == 1)
        for reader in session.scalars(query).all():
            session.add(
                Click(issue_id=room.issue, subscriber_id=reader, number=1, by=ClickBy.HUMAN, why="", at=room.clock())
            )
    with pytest.raises(Refused, match="has no winner yet"):
        room.send(share=REST)
    room.clock.tick(hours=2)
    sample = variants(room, part=1)
    assert room.send(share=REST).state is IssueState.SENT
    assert {subject for each, subject in got(room).items() if each not in sample} == {words[1]}
    assert once(room, 60)
