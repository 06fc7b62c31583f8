"""An issue that differs by reader, sent: each gets what is theirs, and nobody is lost between."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import copies, ledger, message, planning, readers, trials
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import SUBSCRIBER
from newsletter.errors import NotFound, Refused
from newsletter.issues.models import IssueState
from newsletter.issues.traits import Traits
from newsletter.rendering import compiled
from newsletter.rendering.personal import Condition, Personal
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from subscribers import errors, segments
from subscribers.models import SubscriberTopic, Topic
from subscribers.upsert import table
from tests.delivery import desk
from tests.delivery.desk import KEYRING, READER, RENDERED, email
from tests.delivery.lint import lint
from tests.delivery.room import Room
from tests.delivery.test_message import SETTINGS

PARTS = ("ports", "energy", "for buyers", "for Germans")
PERSONAL = Personal(
    expressions=("subscriber.name | default('reader')", "segment('germans')", "subscriber.attributes.plan"),
    conditions=(
        Condition(items=(0,)), Condition(items=(1,)), Condition(audience=("buyer",)), Condition(when=1),
    ),
    topics=(("ports",), ("energy",)),
)  # fmt: skip


def rendered(personal: Personal = PERSONAL) -> Rendered:
    html = "".join(f"<!--[[if:{n}]]--><p>{part}</p><!--[[fi:{n}]]-->" for n, part in enumerate(PARTS))
    text = "".join(f"[[if:{number}]]{part}\n[[fi:{number}]]" for number, part in enumerate(PARTS))
    return replace(
        RENDERED, subject="[[own:0]]: news", personal=personal,
        html=f"<p>Dear [[own:0]], [[own:2]]</p>{html}<p>[[email]] [[unsubscribe_url]] [[preferences_url]]</p>",
        text=f"Dear [[own:0]], [[own:2]]\n{text}[[email]] [[unsubscribe_url]] [[preferences_url]]\n",
    )  # fmt: skip


def people(session: Session, now: datetime) -> None:
    """Let the first readers be somebody: 1 reads of ports, 2 of energy, 3 of law, 4 of nothing in particular."""
    for number, name in enumerate(("ports", "energy", "law"), start=1):
        made = insert(table(Topic)).values(name=name, title=name).returning(table(Topic).c.id)
        reader = session.execute(select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email == email(number))).scalar_one()
        chosen = {"topic_id": session.execute(made).scalar_one(), "subscriber_id": reader}
        session.execute(insert(table(SubscriberTopic)).values(**chosen))
    known: dict[int, dict[str, Any]] = {
        1: {"name": "Ada Лавлейс <b>", "audience": "buyer", "attributes": {"plan": "pro"}},
        2: {"audience": "engineer", "country": "DE"},
    }
    for number, values in known.items():
        session.execute(update(SUBSCRIBER).where(SUBSCRIBER.c.email == email(number)).values(**values))
    segments.create(session, "germans", "country = 'DE'", now=now)


def make(engine: Engine, now: datetime, *, count: int = 4, personal: Personal = PERSONAL) -> int:
    with db.transaction(engine) as session:
        desk.make_list(session, now, count)
        people(session, now)
        return desk.make_issue(session, now, rendered=rendered(personal))


def seen(data: bytes) -> tuple[str, list[str]]:
    """Return the subject and the parts that the text shows, the HTML showing the same."""
    found = lint(data)
    text, html = [part.get_content() for part in found.iter_parts()]
    shown = [part for part in PARTS if part in text]
    assert shown == [part for part in PARTS if f"<p>{part}</p>" in html]
    assert "[[" not in text + html + found["Subject"]
    return found["Subject"], shown


def test_each_reader_gets_their_own(room: Room) -> None:
    room.issue = make(room.engine, room.clock())
    status = room.send()
    assert {each.recipient: seen(each.data) for each in room.server.accepted} == {
        email(1): ("Ada Лавлейс <b>: news", ["ports", "for buyers"]),
        email(2): ("reader: news", ["energy", "for Germans"]),
        email(3): ("reader: news", ["ports", "for buyers"]),  # nothing about law: the lead
        email(4): ("reader: news", ["ports", "energy", "for buyers"]),
    }
    assert (status.state, status.audience, status.sent) == (IssueState.SENT, 4, 4)
    first = next(each.data for each in room.server.accepted if each.recipient == email(1))
    text, html = [part.get_content() for part in lint(first).iter_parts()]
    assert "Dear Ada Лавлейс <b>, pro" in text
    assert "Dear Ada Лавлейс &lt;b&gt;, pro" in html


def test_whom_nothing_concerns_is_skipped_with_the_reason_and_counted(room: Room) -> None:
    room.issue = make(room.engine, room.clock(), personal=replace(PERSONAL, skip=True))
    status = room.send()
    assert sorted(each.recipient for each in room.server.accepted) == [email(1), email(2), email(4)]
    assert room.states[email(3)] == (DeliveryState.SKIPPED, "nothing about their topics")
    assert (status.state, status.audience, status.sent, status.skipped) == (IssueState.SENT, 4, 3, 1)


def test_a_batch_is_looked_up_in_as_many_statements_whoever_is_in_it(engine: Engine, now: datetime) -> None:
    counted = []
    for count in (4, 40):
        with db.transaction(engine) as session:
            for each in ("delivery", "delivery_batch", "audience"):
                session.execute(db.tables().tables[each].delete())
        if count == 4:
            issue = make(engine, now)
        else:
            with db.transaction(engine) as session:
                desk.make_list(session, now, 40, name="all")
        with db.transaction(engine) as session:
            planning.plan(session, issue, lists=["weekly" if count == 4 else "all"], segments=[], batch=100,
                                  actor="mara", now=now)  # fmt: skip
            hold = ledger.take(session, issue, worker="here:1:1", now=now)
            lookup = readers.lookup(session, PERSONAL.needs, now=now)
            with statements(engine) as told:
                batch = ledger.claim(session, hold, batch=100, lookup=lookup, now=now)
        assert batch
        assert len(batch.readers) == count
        counted.append(len(told))
    assert counted[0] == counted[1]


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements of the block."""
    told: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        told.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    yield told
    event.remove(engine, "before_cursor_execute", listen)


def test_a_dry_run_writes_what_the_send_would(
    engine: Engine, settings: Settings, now: datetime, tmp_path: Path
) -> None:
    issue = make(engine, now, personal=replace(PERSONAL, skip=True))
    with db.reading(engine) as session:
        assert trials.write(session, settings, issue, tmp_path / "dry", keyring=KEYRING, now=now, lists=["weekly"]) == 3
    assert {lint(path.read_bytes())["To"]: seen(path.read_bytes()) for path in (tmp_path / "dry").iterdir()} == {
        email(1): ("Ada Лавлейс <b>: news", ["ports", "for buyers"]),
        email(2): ("reader: news", ["energy", "for Germans"]),
        email(4): ("reader: news", ["ports", "energy", "for buyers"]),
    }


def test_a_test_message_shows_every_part(room: Room) -> None:
    issue = make(room.engine, room.clock())
    with db.reading(room.engine) as session:
        trials.send(session, room.settings, issue, ["mara@example.com"], keyring=KEYRING, now=room.clock())
    assert [seen(each.data) for each in room.server.accepted] == [("[Test] reader: news", list(PARTS))]


def test_a_readers_copy_can_be_seen_before(engine: Engine, settings: Settings, now: datetime) -> None:
    issue = make(engine, now, personal=replace(PERSONAL, skip=True))
    given = rendered(replace(PERSONAL, skip=True))
    with db.reading(engine) as session:

        def copy(address: str) -> copies.Copy:
            return copies.of(session, settings, issue, address, rendered=given, keyring=KEYRING, now=now)

        one = copy(email(1))
        assert seen(one.envelope.message) == (one.rendered.subject, ["ports", "for buyers"])
        assert one.rendered.subject == "Ada Лавлейс <b>: news"
        assert "Dear Ada Лавлейс &lt;b&gt;, pro" in one.rendered.html
        assert email(1) in one.rendered.text
        with pytest.raises(Refused, match="nothing about their topics"):
            copy(email(3))
        with pytest.raises(NotFound, match="newsletter subscribers show"):
            copy("nobody@example.com")


def test_a_segment_that_is_gone_stops_the_send_before_anybody_is_planned(room: Room) -> None:
    room.issue = make(room.engine, room.clock())
    with db.transaction(room.engine) as session:
        segments.delete(session, "germans")
    with pytest.raises(errors.NotFound, match="germans"):
        room.send()
    assert not room.planned()


@pytest.mark.parametrize(
    "name", ["a\r\nBcc: x@example.com", "x" * 3000, "\ud800", "=?utf-8?q?x?=", "\u2028", "\x00", "😀 " * 300]
)
def test_no_name_bends_the_subject(name: str) -> None:
    made = compiled.compile("<p>[[own:0]]</p>", "[[own:0]]\n", boundary="b", personal=PERSONAL)
    head = message.masthead(SETTINGS, 9, subject="[[own:0]]: news", date=datetime(2026, 11, 2, 9).astimezone(),
                            keyring=KEYRING)  # fmt: skip
    traits = Traits(name=name)
    found = lint(message.assemble(head, made, replace(READER, traits=traits)).message)
    assert found["Subject"] == f"{PERSONAL.decide(traits).values[0]}: news"
    assert found["Bcc"] is None
