"""What happens around a send that the send cannot help: a full disk, another writer, a second copy in doubt."""

import socket
import threading
import time

import pytest
from sqlalchemy import Connection, Engine, event

from newsletter import db
from newsletter.delivery import dispatch, ledger, results
from newsletter.delivery.report import Status
from newsletter.errors import DatabaseError
from newsletter.issues.models import IssueState
from tests.delivery.room import Room, everyone


def test_a_journal_that_cannot_be_written_pauses_the_issue_and_the_next_send_ends_it(room: Room) -> None:
    room.make(3)
    room.settings.path("journal").write_text("a file in its place")
    with pytest.raises(DatabaseError, match="journal"):
        room.send()
    status = room.status()
    assert (status.state, status.pending, status.worker) == (IssueState.PAUSED, 3, "")
    assert "journal" in status.note
    room.settings.path("journal").unlink()
    assert room.send().sent == 3
    assert len(room.server.recipients) == 3


def test_a_send_waits_for_another_writer_however_long_it_takes(room: Room, engine: Engine) -> None:
    room.make(10)
    room.sending(batch=1)
    if engine.dialect.name == "sqlite":  # PostgreSQL has no one lock for all writers: there the send just goes on
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=10"))
        engine.dispose()
    other = db.open_engine(engine.url.render_as_string())
    over = threading.Event()

    def keep_writing() -> None:
        while not over.wait(0.02):
            with other.begin():
                time.sleep(0.15)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        status = began(room)
    finally:
        over.set()
        writer.join()
        other.dispose()
    assert status.sent == 10
    assert len(room.server.recipients) == 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # PostgreSQL has no one lock for all writers
def test_a_send_waits_for_a_writer_who_keeps_it_from_renewing_its_lease(room: Room, engine: Engine) -> None:
    room.make(6)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=10"))
    engine.dispose()
    other = db.open_engine(engine.url.render_as_string())
    writers: list[Connection] = []

    def rcpt(_address: str) -> None:
        if len(room.server.accepted) == 2:
            writers.append(other.connect())
            writers[0].begin()
            threading.Timer(1, lambda: writers.pop().close()).start()
            room.clock.tick(seconds=45)
            time.sleep(2 * dispatch.FRESH)  # what follows is asked about again
        elif writers:
            room.clock.tick(seconds=20)

    room.server.rcpt = rcpt
    assert room.send().sent == 6
    other.dispose()
    assert room.server.recipients == everyone(6)


def began(room: Room) -> Status:
    """Return what a send came to whose first transaction got through: that one is refused, and changes nothing."""
    for _ in range(100):
        try:
            return room.send()
        except DatabaseError:
            assert room.server.recipients == []
    raise AssertionError("the other writer never paused")


def test_who_may_have_a_copy_and_left_is_told_apart() -> None:
    assert results.skipped("unsubscribed", resent=False).reason == "unsubscribed"
    assert results.skipped("unsubscribed", resent=True).reason == f"unsubscribed{results.MAY_HAVE_IT}"


def test_a_worker_in_another_container_of_one_name_is_not_called_dead() -> None:
    gone = "4999999"  # above the largest pid that Linux gives
    assert ledger._dead(ledger.worker_of(int(gone)))
    assert not ledger._dead(f"{socket.gethostname()}:1:{gone}")
    assert not ledger._dead(f"elsewhere:1:{gone}")
