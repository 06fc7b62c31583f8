"""Corrections by mail: to exactly those who have the briefing, each once, whatever brought it to them."""

import signal
from collections import Counter
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col

from newsletter import db
from newsletter.delivery import audiences, controls, holders, report, sending
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER, SUBSCRIPTION
from newsletter.editorial import people, standings
from newsletter.errors import Refused
from newsletter.issues import corrections, issues
from newsletter.issues.issues import Words
from newsletter.issues.models import CorrectionKind, CorrectionState, Issue, IssueState, Item
from newsletter.rendering import press
from subscribers import suppressions, tokens
from subscribers.models import Frequency, SuppressionReason
from subscribers.tokens import Purpose
from tests.delivery import desk, sender
from tests.delivery.desk import KEYRING, email
from tests.delivery.lint import lint
from tests.delivery.room import Room
from tests.issues.conftest import approved
from tests.support.smtp import Server

WRONG = "We wrote that two harbours bought together; {it} was three."
RIGHT = "Three harbours bought together: Kiel & Bremen <and> Emden."


@pytest.fixture
def carrying(room: Room, tmp_path: Path) -> Room:
    """Return the room with eight readers and a frozen issue with one briefing, cranes."""
    now = room.clock()
    with db.transaction(room.engine) as session:
        for handle in ("mara", "jonas"):
            people.add(session, handle, now=now)
        approved(session, tmp_path / "briefings", "cranes", at=now)
        desk.make_list(session, now, 8)
        words = Words()
        room.issue = issues.compose(session, ["cranes"], words=words, list_name="weekly", actor="mara", now=now).id
        press.freeze(session, room.issue, room.settings, keyring=KEYRING, actor="mara", now=now)
    return room


def corrected(room: Room, *, kind: CorrectionKind = CorrectionKind.CORRECTION) -> int:
    """Draft and approve a correction of cranes, and return the issue that carries it."""
    now = room.clock()
    with db.transaction(room.engine) as session:
        made = corrections.draft(session, "cranes", kind=kind, wrong=WRONG, right=RIGHT, actor="mara", now=now)
        made = corrections.approve(session, made.id, solo=False, actor="jonas", now=now)
        assert made.issue
        press.freeze(session, made.issue, room.settings, keyring=KEYRING, actor="jonas", now=now)
    return made.issue


def send(room: Room, issue: int) -> list[str]:
    """Send an issue without naming a list, and return who got it."""
    before = len(room.server.accepted)
    sending.send(room.engine, room.settings, issue, keyring=KEYRING, actor="mara", clock=room.clock)
    return sorted(room.server.recipients[before:])


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text
    assert html
    return text.get_content(), html.get_content()


def suppress(session: Session, number: int, now: datetime) -> None:
    suppressions.add(session, email(number), reason=SuppressionReason.MANUAL, source="test", now=now)


def second_issue(session: Session, room: Room) -> int:
    """Make another issue with the briefing, for a list of its own with readers 1 to 3."""
    now = room.clock()
    desk.make_list(session, now, 3, name="daily")
    issue = desk.make_issue(session, now)
    issues.row(session, issue).list = "daily"
    text = standings.get(session, "cranes").sha256
    session.add(Item(issue_id=issue, position=1, briefing_id="cranes", sha256=text))
    return issue


def test_a_correction_goes_to_exactly_those_who_have_the_briefing(carrying: Room) -> None:
    room, now = carrying, carrying.clock()
    with db.transaction(room.engine) as session:
        suppress(session, 4, now)  # never got it
        desk.wants(session, 8, Frequency.MONTHLY)  # has had its issue of the month
    room.server.rcpt = lambda address: "550 5.1.1 no such user" if address == email(5) else None
    room.send()
    room.server.rcpt = lambda address: None
    with db.transaction(room.engine) as session:
        second = second_issue(session, room)
    sending.send(room.engine, room.settings, second, Order(lists=["daily"]), keyring=KEYRING, clock=room.clock)
    with db.transaction(room.engine) as session:
        desk.leave(session, 6, now)
        suppress(session, 7, now)
        desk.join(session, 9, now)  # joined later
        unsure = update(DELIVERY).where(DELIVERY.c.subscriber_id == 8).values(state=DeliveryState.UNKNOWN)
        session.execute(unsure)
        told = holders.count(session, "cranes")
    assert (told.readers, told.doubtful, told.gone) == (6, 1, 2)
    room.clock.tick(hours=1)
    carrier = corrected(room)
    with db.reading(room.engine) as session:
        assert audiences.count(session, carrier, lists=(), segments=(), now=now).audience == 4
    assert send(room, carrier) == [email(1), email(2), email(3), email(8)]
    with db.reading(room.engine) as session:
        assert corrections.pending(session) == []
        assert corrections.carried(session, carrier).state is CorrectionState.SENT  # type: ignore[union-attr]
        assert issues.get(session, carrier).state is IssueState.SENT
    with pytest.raises(Refused, match="already sent"):
        send(room, carrier)


def test_its_message_says_what_it_is_and_lets_its_reader_leave_the_list_that_brought_it(carrying: Room) -> None:
    room = carrying
    room.send()
    with db.transaction(room.engine) as session:
        second = second_issue(session, room)
    sending.send(room.engine, room.settings, second, Order(lists=["daily"]), keyring=KEYRING, clock=room.clock)
    with db.transaction(room.engine) as session:
        weekly = session.execute(LIST.select().where(LIST.c.name == "weekly")).one().id
        standing = SUBSCRIPTION
        session.execute(delete(standing).where(standing.c.subscriber_id == 1, standing.c.list_id == weekly))
    room.server.accepted.clear()
    send(room, corrected(room))
    by = {each.recipient: each.data for each in room.server.accepted}
    for reader, name in ((1, "daily"), (2, "weekly")):  # the first left the one list and is still on the other
        lint(by[email(reader)])
        message = message_from_bytes(by[email(reader)], policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert message["Subject"] == "Correction: What cranes will change in the harbours"
        assert message["List-Id"].endswith(f"<{name}.{room.settings.sender.domain}>")
        token = message["List-Unsubscribe"].strip("<>").rpartition("/u/")[2]
        with db.reading(room.engine) as session:
            number = session.execute(LIST.select().where(LIST.c.name == name)).one().id
        assert tokens.read(KEYRING, Purpose.UNSUBSCRIBE, token) == (reader, number)
        text, html = parts(message)
        for part in (" ".join(text.split()), html.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")):
            for words in (
                "Correction",
                "What was wrong",
                WRONG,
                "What is right",
                RIGHT,
                "Example Wire",
                "/briefings/cranes",
            ):
                assert words.lower() in part.lower(), words
        assert "Correction" in text.splitlines()
        assert "Monday, 2 November 2026" in text.splitlines()
        assert "Issue " not in text


def test_a_correction_killed_in_the_middle_goes_on_with_the_same_command(carrying: Room, server: Server) -> None:
    room = carrying
    room.send()
    server.accepted.clear()
    carrier = corrected(room)
    environ = {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port), "NEWSLETTER_SENDING_BATCH": "3"}
    for moment, occasion, code in (("reply read", 2, -signal.SIGKILL), ("", 1, 0)):
        order = sender.Order(room.settings.folder, carrier, environ, moment, occasion, lists=())
        process = sender.start(order)
        process.join(60)
        assert process.exitcode == code
    assert set(server.recipients) == {email(number) for number in range(1, 9)}
    copies = Counter(server.recipients)
    with db.reading(room.engine) as session:
        told = report.status(session, carrier)
        assert sum(copies.values()) - len(copies) <= told.resent < 8  # whoever was in flight
        assert issues.get(session, carrier).state is IssueState.SENT


def test_only_somebody_else_says_yes_and_a_changed_word_takes_it_back(carrying: Room) -> None:
    room, now = carrying, carrying.clock()
    with db.transaction(room.engine) as session, pytest.raises(Refused, match="readers do not have it"):
        corrections.draft(session, "cranes", wrong=WRONG, actor="mara", now=now)
    room.send()
    carrier = corrected(room)
    with db.transaction(room.engine) as session:
        assert standings.get(session, "cranes").state == "corrected"
        edited = corrections.edit(session, 1, right="Three.", actor="jonas", now=now)
        assert (edited.state, edited.hands, edited.approved_by) == (CorrectionState.DRAFTED, ("mara", "jonas"), "")
        assert issues.get(session, carrier).state is IssueState.CANCELLED
        for person in ("mara", "jonas"):
            with pytest.raises(Refused, match=f"{person} cannot approve correction 1: they wrote it"):
                corrections.approve(session, 1, solo=False, actor=person, now=now)
        alone = corrections.approve(session, 1, solo=True, actor="jonas", now=now)
        assert (alone.solo, alone.state) == (True, CorrectionState.APPROVED)
        assert corrections.of(session, "cranes")[0].words == f"{WRONG} Three."
        assert alone.issue
        assert alone.issue != carrier
        with pytest.raises(Refused, match="is a correction, and goes to those who have the briefing"):
            audiences.choose(session, alone.issue, lists=["weekly"], segments=(), now=now)
        assert corrections.withdraw(session, 1, reason="It was right.", actor="mara", now=now).state == "withdrawn"
        assert corrections.log(session) == []
        noted = corrections.draft(session, "cranes", wrong="A comma.", actor="mara", now=now)
        noted = corrections.approve(session, noted.id, by_mail=False, solo=False, actor="jonas", now=now)
        assert (noted.state, noted.issue) == (CorrectionState.NOTED, None)
        assert [each.words for each in corrections.log(session)] == ["A comma."]
        clarified = corrections.draft(
            session, "cranes", kind=CorrectionKind.CLARIFICATION, wrong="Could be misread.", actor="mara", now=now
        )
        assert clarified.label == "Clarification"


def test_a_correction_does_not_count_as_an_issue_that_a_reader_had_lately(carrying: Room) -> None:
    room, now = carrying, carrying.clock()
    room.send()
    room.clock.tick(days=20)
    send(room, corrected(room))
    room.clock.tick(days=1)
    with db.transaction(room.engine) as session:
        desk.wants(session, 1, Frequency.WEEKLY)
        other = desk.make_issue(session, now)
        counted = audiences.count(session, other, lists=["weekly"], segments=(), now=room.clock())
    assert (counted.readers, counted.held) == (8, {})


def test_a_correction_waits_for_the_end_of_its_issue_and_again_when_nobody_got_it(carrying: Room) -> None:
    room = carrying
    room.send()
    carrier = corrected(room)
    with db.transaction(room.engine) as session:
        session.execute(update(Issue).where(col(Issue.id) == room.issue).values(state=IssueState.PAUSED))
    with pytest.raises(Refused, match=r"issue 1 is paused and still brings cranes .*newsletter issues cancel 1"):
        send(room, carrier)
    with db.transaction(room.engine) as session:
        session.execute(update(Issue).where(col(Issue.id) == room.issue).values(state=IssueState.SENT))
    sending.plan(room.engine, room.settings, carrier, Order(), actor="mara", now=room.clock())
    with db.reading(room.engine) as session:
        assert corrections.pending(session) == []
        assert [each.id for each in corrections.under_way(session)] == [1]
    controls.cancel(room.engine, room.settings, carrier, actor="mara", now=room.clock())
    with db.transaction(room.engine) as session:
        assert [each.id for each in corrections.pending(session)] == [1]
        assert corrections.under_way(session) == []
        again = corrections.issue(session, 1, actor="jonas", now=room.clock())
        assert again != carrier
        press.freeze(session, again, room.settings, keyring=KEYRING, actor="jonas", now=room.clock())
    assert len(send(room, again)) == 8


def test_who_was_erased_is_told_nothing(carrying: Room) -> None:
    room = carrying
    room.send()
    with db.transaction(room.engine) as session:
        session.execute(delete(SUBSCRIPTION).where(SUBSCRIPTION.c.subscriber_id == 2))
        session.execute(delete(SUBSCRIBER).where(SUBSCRIBER.c.id == 2))
        told = holders.count(session, "cranes")
    assert (told.readers, told.doubtful, told.gone) == (8, 0, 1)
    assert email(2) not in send(room, corrected(room))
