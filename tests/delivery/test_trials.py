"""Test messages and dry runs: real messages, and no trace in the ledger."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from newsletter import db
from newsletter.delivery import trials
from newsletter.delivery.replies import Kind
from newsletter.delivery.sending import Order
from newsletter.delivery.tables import AUDIENCE, DELIVERY
from newsletter.errors import Refused
from newsletter.settings import Settings
from subscribers import errors, tokens
from subscribers.tokens import Purpose
from tests.delivery import desk
from tests.delivery.desk import KEYRING, email
from tests.delivery.lint import lint, raw
from tests.delivery.room import at_port
from tests.support.smtp import serving


@pytest.fixture
def issue(engine: Engine, now: datetime) -> int:
    return desk.make(engine, now, 7)


def assert_no_trace(engine: Engine) -> None:
    with db.reading(engine) as session:
        for table in (AUDIENCE, DELIVERY):
            assert session.execute(select(func.count()).select_from(table)).scalar() == 0


def test_a_test_message_is_marked_and_its_links_unsubscribe_nobody(
    engine: Engine, settings: Settings, issue: int, now: datetime
) -> None:
    with serving() as server, db.reading(engine) as session:
        to = ["mara@example.com", email(1), "jonas@example.com"]
        server.rcpt = lambda address: "550 5.1.1 unknown" if address == "jonas@example.com" else None
        found = trials.send(session, at_port(settings, server.port), issue, to, keyring=KEYRING, now=now)
    assert [(address, outcome.kind) for address, outcome in found] == [
        ("mara@example.com", Kind.SENT), (email(1), Kind.SENT), ("jonas@example.com", Kind.FAILED),
    ]  # fmt: skip
    for received in server.accepted:
        message = lint(received.data)
        assert message["Subject"] == "[Test] What is new — this week"
        token = raw(received.data, "List-Unsubscribe").decode().strip("<>").rpartition("/")[2]
        assert tokens.read(KEYRING, Purpose.UNSUBSCRIBE, token) == (0, 0)
    assert len({received.message_id for received in server.accepted}) == 2
    assert_no_trace(engine)


def test_a_wrong_test_address_stops_before_anything_is_sent(
    engine: Engine, settings: Settings, issue: int, now: datetime
) -> None:
    with serving() as server, db.reading(engine) as session:
        with pytest.raises(errors.BadAddress, match="mara@"):
            to = ["jonas@example.com", "mara@"]
            trials.send(session, at_port(settings, server.port), issue, to, keyring=KEYRING, now=now)
    assert server.seen == []


def written(engine: Engine, settings: Settings, issue: int, folder: Path, now: datetime, lists: list[str]) -> int:
    with db.reading(engine) as session:
        return trials.write(session, settings, issue, folder, keyring=KEYRING, now=now, lists=lists)


def test_a_dry_run_writes_every_message_and_plans_nothing(
    engine: Engine, settings: Settings, issue: int, now: datetime, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "dry"
    assert written(engine, settings, issue, folder, now, ["weekly"]) == 7
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{number:06}-{email(number)}.eml" for number in range(1, 8)
    ]
    for number, path in enumerate(sorted(folder.iterdir()), start=1):
        assert lint(path.read_bytes())["To"] == email(number)
    assert_no_trace(engine)


def test_a_dry_run_shows_the_bytes_that_the_send_then_sends(
    engine: Engine, settings: Settings, issue: int, now: datetime, tmp_path: Path
) -> None:
    from newsletter.delivery import sending

    with serving() as server:
        settings = at_port(settings, server.port)
        written(engine, settings, issue, tmp_path / "dry", now, ["weekly"])
        sending.send(engine, settings, issue, Order(lists=["weekly"]), keyring=KEYRING, clock=lambda: now)
        dry = [path.read_bytes() for path in sorted((tmp_path / "dry").iterdir())]
    assert [received.data for received in server.accepted] == dry


def test_a_dry_run_needs_a_list_and_an_empty_folder(
    engine: Engine, settings: Settings, issue: int, now: datetime, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=r"name a list: newsletter send 1 --list LIST$"):
        written(engine, settings, issue, tmp_path / "dry", now, [])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(Refused, match=r"full is not empty \(it holds letter.txt\)"):
        written(engine, settings, issue, tmp_path / "full", now, ["weekly"])
    (tmp_path / "file").write_text("a file")
    for folder in (tmp_path / "file", tmp_path / "file" / "dry"):
        with pytest.raises(Refused, match="cannot be written"):
            written(engine, settings, issue, folder, now, ["weekly"])
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_an_address_cannot_leave_the_folder() -> None:
    assert trials._name(7, "../../etc/passwd@example.com") == "000007-.._.._etc_passwd@example.com.eml"
    assert len(trials._name(7, "x" * 300)) < 120
