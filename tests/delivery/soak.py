"""A sender that is killed again and again while it sends, and what its readers got of it."""

import random
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess

from sqlalchemy import Engine

from newsletter import audit, db
from newsletter.delivery import report
from newsletter.delivery.report import Status
from newsletter.delivery.results import RESENT
from newsletter.settings import Settings
from tests.delivery import desk, sender
from tests.delivery.desk import email
from tests.delivery.logbook import Logbook
from tests.delivery.sender import Order

#: Of so many kills one comes at any moment from the sender's first on, and not when so many messages more are out.
_EARLY = 6
#: A sender whose messages do not come for so many seconds is no finding of the soak's.
_PATIENCE = 120.0


@dataclass(kw_only=True)
class Toll:
    """What a soak came to: who got nothing, who got two, and what the ledger says of them."""

    status: Status
    recipients: int
    kills: int
    window: int
    seconds: float
    lives: list[float]
    skipped: set[str]
    strangers: set[str]
    duplicates: int
    unlike: int
    untold: set[str]
    in_flight: int

    def broken(self, *, hold: bool) -> list[str]:
        """Return which promises do not hold."""
        status = self.status
        equation = status.sent + status.failed + status.skipped + status.unknown
        told = {
            f"{len(self.skipped)} were skipped": bool(self.skipped),
            f"{len(self.strangers)} strangers got it": bool(self.strangers),
            f"{self.duplicates} duplicates are too many": self.duplicates > (0 if hold else self.kills * self.window),
            f"{self.unlike} duplicates have a Message-ID of their own": bool(self.unlike),
            f"{len(self.untold)} duplicates are not marked as resent": bool(self.untold),
            f"the issue is {status.state}": status.state != "sent",
            f"the audience is {status.audience}, and {equation} are accounted for": status.audience != equation,
            f"{status.unknown} are held": status.unknown > (self.kills * self.window if hold else 0),
            f"{status.failed} failed, and {status.skipped} were left out": bool(status.failed or status.skipped),
        }
        return [words for words, wrong in told.items() if wrong]


@dataclass(kw_only=True)
class Soak:
    """An issue for so many readers, whose sender is killed so many times at moments that `chance` chooses."""

    engine: Engine
    settings: Settings
    book: Logbook
    recipients: int
    kills: int
    connections: int = 10
    hold: bool = False
    processes: int = 1
    chance: random.Random = field(default_factory=random.Random)
    lives: list[float] = field(default_factory=list)

    def run(self) -> Toll:
        """Send, kill, and send again until the issue is out; return what that came to."""
        begun = time.monotonic()
        self.issue = desk.make(self.engine, datetime.now(UTC), self.recipients)
        for number in range(self.kills):
            self._die(early=number % _EARLY == _EARLY - 1, left=self.kills - number)
        last = self._start()
        last.join()
        assert last.exitcode == 0, f"the last sender ended with {last.exitcode}"
        return self._toll(time.monotonic() - begun)

    def _start(self) -> BaseProcess:
        environ = {
            "NEWSLETTER_RELAY_MAIN_PORT": str(self.book.port),
            "NEWSLETTER_RELAY_MAIN_CONNECTIONS": str(self.connections),
            "NEWSLETTER_SENDING_ON_UNKNOWN": "hold" if self.hold else "resend",
            "NEWSLETTER_SENDING_PROCESSES": str(self.processes),
        }
        return sender.start(Order(self.settings.folder, self.issue, environ))

    def _die(self, *, early: bool, left: int) -> None:
        """Let a sender live for a while."""
        before, begun = self.book.count(), time.monotonic()
        process = self._start()
        if early:
            time.sleep(self.chance.random())
        else:
            share = max((self.recipients - before) // (left + 1), 1)
            self._await(process, before + self.chance.randint(1, share))
            time.sleep(self.chance.random() / 100)
        assert process.exitcode is None, f"a sender ended with {process.exitcode} before it was killed"
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        self.lives.append(time.monotonic() - begun)

    def _await(self, process: BaseProcess, count: int) -> None:
        until = time.monotonic() + _PATIENCE
        while self.book.count() < count:
            assert process.exitcode is None, f"a sender ended with {process.exitcode} by itself"
            assert time.monotonic() < until, f"no {count} messages within {_PATIENCE:.0f} s"
            time.sleep(0.001)

    def _toll(self, seconds: float) -> Toll:
        copies = self.book.copies()
        by_address: dict[str, int] = {}
        for (address, _), count in copies.items():
            by_address[address] = by_address.get(address, 0) + count
        audience = {email(number) for number in range(1, self.recipients + 1)}
        twice = {address for address, count in by_address.items() if count > 1}
        with db.reading(self.engine) as session:
            status = report.status(session, self.issue)
            held = {each.email for each in report.who(session, self.issue, "unknown")}
            resent = {each.email for each in report.who(session, self.issue, "sent") if each.reason == RESENT}
            found = [each.detail for each in audit.entries(session, "issue", self.issue) if each.action == "recovered"]
        return Toll(
            status=status, recipients=self.recipients, kills=len(self.lives), window=self.connections, seconds=seconds,
            lives=self.lives, skipped=audience - set(by_address) - held, strangers=set(by_address) - audience,
            duplicates=sum(by_address.values()) - len(by_address), unlike=len(copies) - len(by_address),
            untold=twice - resent, in_flight=sum(each["in_flight"] for each in found),
        )  # fmt: skip
