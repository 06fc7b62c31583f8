"""The ledger, asked and told from a thread of its own, so that the connections go on meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import ledger, relays, stops, verdicts
from newsletter.delivery.journal import Journal
from newsletter.delivery.ledger import LEASE, Answer, Hold
from newsletter.delivery.models import Stop
from newsletter.delivery.reader import Reader
from newsletter.delivery.readers import Lookup
from newsletter.delivery.results import Change
from newsletter.errors import DatabaseError, RelayError
from newsletter.issues import issues
from newsletter.issues.models import IssueState

#: How long a sender waits for another writer of SQLite, in seconds: a large import has an end.
PATIENCE = 300
#: With no more than this left of the lease, nothing goes out until it is renewed.
SPARE = LEASE / 3

Result = TypeVar("Result")
Clock = Callable[[], datetime]


@dataclass(kw_only=True, eq=False)
class OpenBatch:
    """A claimed batch, and what is known of its copies that the ledger has not heard; `left` are without a result."""

    id: int
    readers: tuple[Reader, ...]
    skipped: int
    journal: Journal
    left: int
    changes: dict[int, Change] = field(default_factory=dict)
    relays: dict[int, str] = field(default_factory=dict)


class Books:
    """What one sender asks and tells the ledger; every call is one transaction, one after the other."""

    def __init__(
        self, engine: Engine, hold: Hold, folder: Path, *, lookup: Lookup, batch: int, part: int | None, clock: Clock
    ) -> None:
        self.engine, self.hold, self.clock = engine, hold, clock
        self._folder, self._lookup, self._batch, self._part = folder, lookup, batch, part
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self.held_until = clock() + LEASE
        #: deliveries recorded as failed by an earlier turn, which are to wait again after all
        self.taken_back: set[int] = set()
        #: what relays said that were paused, not yet written down; None for one that carries again
        self.troubles: dict[str, RelayError | None] = {}

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown()

    async def turn(self, done: Sequence[OpenBatch], want: int) -> list[OpenBatch]:
        """Record batches and claim up to `want` more, in one transaction; fewer when nobody else is due."""
        return await self.told(lambda: self._turn(done, want))

    async def ask(self, deliveries: Iterable[int]) -> Answer:
        """Return what speaks against copies now, and what a person asks of the sender."""
        ids = list(deliveries)
        return await self.told(lambda: self._ask(ids))

    async def renew(self) -> None:
        """Say that the sender lives."""
        await self.told(self.renew_now)

    async def next_due(self) -> datetime | None:
        """Return when the first copy that was put off may be tried again."""
        return await self.told(self._next_due)

    async def complaints(self) -> tuple[int, int]:
        """Return how many readers have the issue, and how many of them call it spam."""
        return await self.told(self._complaints)

    async def stopping(self, stop: Stop, reason: str) -> None:
        """Keep why the send is ending: until its last copies are recorded, its sender may die."""
        await self.told(lambda: self._stopping(stop, reason))

    async def told(self, act: Callable[[], Result]) -> Result:
        """Return what a call comes to in the ledger's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)

    def _ask(self, ids: list[int]) -> Answer:
        if self.clock() >= self.held_until - SPARE:  # for long another writer had the database
            self.held_until = patiently(self.engine, self._renewed) + LEASE
        with db.asking(self.engine) as connection:
            return ledger.ask(connection, self.hold, ids, now=self.clock())

    def _renewed(self, session: Session) -> datetime:
        now = self.clock()
        ledger.renew(session, self.hold, now=now)
        return now

    def _stopping(self, stop: Stop, reason: str) -> None:
        issue_id = self.hold.issue_id
        with db.transaction(self.engine) as session:
            stops.lock(session, issue_id)
            ledger.renew(session, self.hold, now=self.clock())
            issues.move(session, issue_id, IssueState.SENDING, since=(IssueState.SENDING,), note=reason[:2000])
            stops.write(session, issue_id, stop, ask=stops.ask_of(session, issue_id))

    def renew_now(self) -> None:
        """Say so from the caller's thread; refuse when another has taken over."""
        now = self.clock()
        with db.transaction(self.engine) as session:
            ledger.renew(session, self.hold, now=now)
        self.held_until = now + LEASE

    def _next_due(self) -> datetime | None:
        with db.reading(self.engine) as session:
            return ledger.next_due(session, self.hold.issue_id)

    def _complaints(self) -> tuple[int, int]:
        with db.reading(self.engine) as session:
            return verdicts.complaints(session, self.hold.issue_id)

    def _turn(self, done: Sequence[OpenBatch], want: int) -> list[OpenBatch]:
        made: list[OpenBatch] = []
        now, again, troubles = self.clock(), set(self.taken_back), dict(self.troubles)

        def act(session: Session) -> None:
            _forget(made)
            ledger.renew(session, self.hold, now=now)
            if troubles:
                relays.note(session, troubles, now=self.clock())
            for batch in done:
                ledger.record(session, self.hold, batch.id, batch.changes, relays=batch.relays, now=self.clock())
            if again:  # after the records: what is taken back may be among them
                verdicts.take_back(session, self.hold.issue_id, again, now=now)
            while len(made) < want and (claimed := self._claim(session)):
                made.append(claimed)

        try:
            patiently(self.engine, act)
        except BaseException:
            for batch in made:  # the claim may stand, where only the commit's answer was lost: nothing of it has begun
                batch.journal.close()
            raise
        self.held_until = now + LEASE
        self.taken_back -= again
        for name in troubles.keys() & self.troubles.keys():
            if self.troubles[name] is troubles[name]:
                del self.troubles[name]
        for batch in done:
            batch.journal.remove()
        return made

    def _claim(self, session: Session) -> OpenBatch | None:
        found = ledger.claim(
            session, self.hold, batch=self._batch, lookup=self._lookup, part=self._part, now=self.clock()
        )
        if found is None:
            return None
        # Before the commit: a claimed batch without a journal would count as in flight, were the sender killed now.
        journal = Journal(self._folder, self.hold.issue_id, fence=self.hold.fence, batch=found.id)
        return OpenBatch(
            id=found.id, readers=found.readers, skipped=found.skipped, journal=journal, left=len(found.readers)
        )


def _forget(made: list[OpenBatch]) -> None:
    for batch in made:
        batch.journal.remove()
    made.clear()


def patiently(engine: Engine, act: Callable[[Session], Result]) -> Result:
    """Return what a transaction comes to, and begin it again while another writer has the database."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with db.transaction(engine) as session:
                return act(session)
        except DatabaseError as error:
            if "database is locked" not in str(error) or time.monotonic() >= until:
                raise
        time.sleep(0.1)
