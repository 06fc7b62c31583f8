"""A disk that is full, a database that goes: a send stops loudly, and the next one ends it whole."""

import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from newsletter import db
from newsletter.delivery import report
from newsletter.delivery.results import RESENT
from newsletter.errors import DatabaseError
from newsletter.issues.models import IssueState
from newsletter.settings import Settings
from tests.delivery import desk, sender
from tests.delivery.room import Room, everyone
from tests.delivery.sender import Order
from tests.support.smtp import Server

READERS = 450


def largest(engine: Engine, *, middle: bool) -> int:
    """Return how large a file may become on a disk that is full from the first on, or fills up in the middle."""
    if not middle:
        return 8_000
    file = engine.url.database
    # A journal of so many copies takes two steps of 16 KB; SQLite's log of writes grows beside a file that is as large.
    return Path(str(file)).stat().st_size + 400_000 if engine.dialect.name == "sqlite" else 20_000


@pytest.mark.parametrize("middle", [False, True])
def test_a_disk_that_is_full_stops_the_send_and_the_next_one_ends_it(
    engine: Engine, settings: Settings, server: Server, middle: bool
) -> None:
    """The limit of a file's size stands in for the disk's, be it a journal or SQLite's log of writes."""
    issue = desk.make(engine, datetime.now(UTC), READERS)
    environ = {
        "NEWSLETTER_RELAY_MAIN_PORT": str(server.port),
        "NEWSLETTER_RELAY_MAIN_CONNECTIONS": "4",
        "NEWSLETTER_SENDING_BATCH": str(READERS if engine.dialect.name == "postgresql" else 10),
    }
    full = sender.start(Order(settings.folder, issue, environ, largest=largest(engine, middle=middle)))
    full.join(60)
    assert full.exitcode == 1
    words = (settings.folder / "said.txt").read_text()
    assert "journal" in words or "disk" in words or "full" in words
    first = Counter(server.recipients)
    assert (sum(first.values()) > 0) is middle
    assert len(first) < READERS
    again = sender.start(Order(settings.folder, issue, environ))
    again.join(60)
    assert again.exitcode == 0
    copies = Counter(server.recipients)
    with db.reading(engine) as session:
        status = report.status(session, issue)
        resent = {each.email for each in report.who(session, issue, "sent") if each.reason == RESENT}
    assert (status.state, status.sent) == (IssueState.SENT, READERS)
    assert set(copies) == set(everyone(READERS))
    assert {each for each, count in copies.items() if count > 1} <= resent
    assert len(resent) <= 4


def cut(engine: Engine) -> None:
    """End every other conversation with the database."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    with engine.connect() as connection:
        connection.execute(text(others + "pg_backend_pid()"))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no connections to end
def test_a_database_that_ends_its_connections_leaves_a_send_that_resumes_whole(room: Room) -> None:
    room.make(120)
    room.sending(batch=15)
    room.relay(connections=4)
    other = db.open_engine(room.engine.url.render_as_string(hide_password=False))

    def data(_address: str) -> None:
        if len(room.server.accepted) in (20, 21, 22, 45):
            cut(other)

    room.server.data = data
    for _ in range(5):
        with suppress(DatabaseError):
            if room.send().state is IssueState.SENT:
                break
    other.dispose()
    status = room.status()
    assert (status.state, status.sent, status.failed, status.skipped) == (IssueState.SENT, 120, 0, 0)
    copies = Counter(room.server.recipients)
    assert set(copies) == set(everyone(120))
    assert sum(copies.values()) - 120 <= status.resent


def lose_an_answer(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first commit of the ledger's thread happen, and its answer get lost."""
    dialect: Any = room.engine.dialect
    commit = dialect.do_commit
    lost: list[Any] = []

    def do_commit(connection: Any) -> None:
        commit(connection)
        if threading.current_thread().name.startswith("ledger") and not lost:
            lost.append(connection)
            raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(dialect, "do_commit", do_commit)


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_a_claim_whose_answer_is_lost_puts_nobody_in_doubt(
    room: Room, monkeypatch: pytest.MonkeyPatch, on_unknown: str
) -> None:
    room.make(5)
    room.sending(on_unknown=on_unknown)
    lose_an_answer(room, monkeypatch)
    with pytest.raises(DatabaseError, match="server closed the connection"):
        room.send()
    assert (room.status().sending, room.server.recipients) == (5, [])
    status = room.send()
    assert (status.state, status.sent, status.resent, status.unknown) == (IssueState.SENT, 5, 0, 0)
    assert room.server.recipients == everyone(5)
    assert list(room.settings.path("journal").iterdir()) == []
