"""Kill -9 at any moment, then the same again: nobody skipped, and twice only whoever was in flight."""

import random
import signal
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess

import pytest
from sqlalchemy import Engine

from newsletter import audit, db
from newsletter.delivery import report
from newsletter.delivery.report import Status
from newsletter.delivery.results import RESENT
from newsletter.settings import Settings
from tests.delivery import desk, sender
from tests.delivery.desk import email
from tests.delivery.sender import MOMENTS, Order
from tests.support.smtp import Server


class Killing:
    """A publication whose senders die."""

    def __init__(self, engine: Engine, settings: Settings, server: Server) -> None:
        self.engine, self.settings, self.server = engine, settings, server
        self.kills = 0
        #: how many messages can be on the wire at once
        self.window = 10
        self.issue = 0
        self.audience: set[str] = set()
        self.environ = {"NEWSLETTER_RELAY_MAIN_PORT": str(server.port), "NEWSLETTER_SENDING_BATCH": "25"}

    def make(self, count: int) -> None:
        self.issue = desk.make(self.engine, datetime.now(UTC), count)
        self.audience = {email(number) for number in range(1, count + 1)}

    def run(self, moment: str = "", occasion: int = 1) -> int:
        """Let a sender work until it ends or dies; return its exit code."""
        process = sender.start(Order(self.settings.folder, self.issue, self.environ, moment, occasion))
        process.join(60)
        assert process.exitcode is not None
        self.kills += process.exitcode == -signal.SIGKILL
        return process.exitcode

    def status(self) -> Status:
        with db.reading(self.engine) as session:
            return report.status(session, self.issue)

    def check(self, *, hold: bool = False) -> Status:
        """Hold the promises against the ledger and what the server has."""
        status = self.status()
        accepted = Counter(self.server.recipients)
        ids = {(each.recipient, each.message_id) for each in self.server.accepted}
        assert status.state == "sent"
        assert status.audience == len(self.audience) == status.sent + status.failed + status.skipped + status.unknown
        assert status.waiting == 0
        assert len(ids) == len(accepted), "every copy has the same Message-ID"
        twice = sum(accepted.values()) - len(accepted)
        if hold:
            assert twice == 0
            assert set(accepted) <= self.audience
            assert status.unknown <= self.kills * self.window
            with db.reading(self.engine) as session:
                unknown = {each.email for each in report.who(session, self.issue, "unknown")}
            assert self.audience - set(accepted) <= unknown
        else:
            assert set(accepted) == self.audience, "nobody skipped, no strangers"
            assert status.sent == len(self.audience)
            assert max(twice, status.resent) <= self.kills * self.window
            with db.reading(self.engine) as session:
                told = {each.email for each in report.who(session, self.issue, "sent") if each.reason == RESENT}
            assert {address for address, copies in accepted.items() if copies > 1} <= told
        assert list(self.settings.path("journal").iterdir()) == []
        return status


@pytest.fixture
def desk_of_the_doomed(engine: Engine, settings: Settings, server: Server) -> Killing:
    return Killing(engine, settings, server)


class Strike:
    """Kills a sender when the server has so many messages: at once, before its reply, or for others to do."""

    def __init__(self, server: Server, process: BaseProcess, until: int, *, at_once: bool) -> None:
        self.server, self.process, self.until, self.at_once = server, process, until, at_once
        self.done = threading.Event()

    def __call__(self, _address: str) -> None:
        if len(self.server.accepted) + 1 >= self.until and not self.done.is_set():
            self.done.set()
            if self.at_once:  # the server will have it, and the sender never reads that it has
                self.process.kill()


@pytest.mark.parametrize("on_unknown", ["resend", "hold"])
def test_killed_again_and_again_at_random(desk_of_the_doomed: Killing, on_unknown: str) -> None:
    room = desk_of_the_doomed
    room.make(400)
    room.environ["NEWSLETTER_SENDING_ON_UNKNOWN"] = on_unknown
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    for turn in range(6):
        process = sender.start(Order(room.settings.folder, room.issue, room.environ))
        strike = Strike(room.server, process, len(room.server.accepted) + chance.randint(5, 45), at_once=turn % 2 == 0)
        room.server.data = strike
        assert strike.done.wait(30)
        time.sleep(chance.random() / 50)
        process.kill()
        process.join()
        room.kills += 1
    room.server.data = lambda _address: None
    assert room.run() == 0, f"seed {seed}"
    status = room.check(hold=on_unknown == "hold")
    assert room.kills == 6
    assert (status.resent if on_unknown == "resend" else status.unknown) >= 1
    with db.reading(room.engine) as session:
        recovered = [
            entry.detail for entry in audit.entries(session, "issue", room.issue) if entry.action == "recovered"
        ]
    assert sum(each["in_flight"] for each in recovered) >= (status.resent or status.unknown)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_each_named_moment(desk_of_the_doomed: Killing, moment: str) -> None:
    room = desk_of_the_doomed
    room.make(20)
    room.environ |= {"NEWSLETTER_SENDING_BATCH": "7", "NEWSLETTER_RELAY_MAIN_CONNECTIONS": "1"}
    room.window = 1
    occasion = {"began": 10, "done": 10, "add": 2, "claim": 2, "record": 2, "remove": 2}.get(MOMENTS[moment][1], 1)
    assert room.run(moment, occasion) == -signal.SIGKILL
    if moment == "issue closed":  # what is left is a journal without a line
        assert room.status().state == "sent"
        assert len(room.server.accepted) == 20
        return
    assert room.run() == 0
    status = room.check()
    if moment in ("results written but not committed", "results committed"):
        assert status.resent <= 1  # the next message is on its way meanwhile
    else:
        assert status.resent == (moment in ("text begun", "reply read"))
        assert len(room.server.accepted) == 20 + (moment == "reply read")
