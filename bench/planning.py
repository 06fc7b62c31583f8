"""Measure the planning of an audience against the same statement typed by hand, on SQLite and PostgreSQL.

`python bench/planning.py --size 1000000`. Each number is a median of three, ours and the other's in turns, each in a
transaction that is rolled back; on PostgreSQL a VACUUM follows, so that all of them find the same tables. CPU is
that of the process which does the work: this one, or PostgreSQL's for the connection; it is steadier than the clock.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from bench import crowd, databases
from newsletter import db
from newsletter.delivery import audiences, batches, planning
from newsletter.issues.models import Issue, IssueState

ROUNDS = 3
#: Of so many subscribers one is not confirmed or suppressed, about.
CHOSEN = 0.95
BATCH = 100
LISTS = ["weekly"]
HAD = "('sent', 'unknown', 'pending', 'sending', 'deferred')"


def _had(since: str) -> str:
    return f"""EXISTS (
        SELECT 1 FROM delivery d JOIN issue i ON i.id = d.issue_id
        WHERE d.subscriber_id = s.id AND d.issue_id <> :issue AND d.state IN {HAD} AND d.changed_at > {since}
        AND (i.sent_at IS NULL OR i.sent_at > {since}))"""


#: What somebody who knows the tables would type for the list `weekly`.
BY_HAND = f"""
INSERT INTO delivery (issue_id, subscriber_id, list_id, batch_id, state, reason, reply, attempts, changed_at)
SELECT :issue, id, 1, CASE WHEN reason = '' THEN place END, CASE WHEN reason = '' THEN 'pending' ELSE 'skipped' END,
    reason, '', 0, :now
FROM (
    SELECT s.id, :first + (row_number() OVER () - 1) / {BATCH} AS place, CASE
        WHEN s.frequency = 'weekly' AND {_had(":weekly")} THEN 'frequency: weekly'
        WHEN s.frequency = 'monthly' AND {_had(":monthly")} THEN 'frequency: monthly'
        ELSE '' END AS reason
    FROM subscription b JOIN subscriber s ON s.id = b.subscriber_id
    WHERE b.list_id = 1 AND b.state = 'confirmed' AND NOT EXISTS (
        SELECT 1 FROM suppression x
        WHERE x.email_key = s.email_key AND x.lifted_at IS NULL AND (x.list_id IS NULL OR x.list_id = 1))
) AS chosen
"""


_DATABASES = {"sqlite": databases.sqlite, "postgresql": databases.postgresql}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What some work took, by the clock and of a CPU, and how many rows it had to do with."""

    seconds: float
    cpu: float
    count: int


def _worker(session: Session) -> str:
    """Return the process that does a transaction's work, as /proc calls it."""
    if session.get_bind().dialect.name == "sqlite":
        return "self"
    return str(session.scalar(text("SELECT pg_backend_pid()")))


def _cpu(worker: str) -> float:
    """Return the seconds of CPU that a process had (proc(5): utime and stime)."""
    fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """A database with a crowd, three sent issues and one to plan."""

    def __init__(self, engine: Engine, size: int, now: datetime) -> None:
        self.engine, self.now = engine, now
        self.room = range(0)
        crowd.fill(engine, int(size / CHOSEN), now=now)
        with db.transaction(engine) as session:
            issue = Issue(state=IssueState.FROZEN, subject="Four", composed_at=now, composed_by="bench", frozen_at=now)
            session.add(issue)
            session.flush()
            self.issue = issue.id or 0

    def timed(self, act: Callable[[Session], int], *, room: int = 0) -> "Timed":
        """Return what a transaction's work took, and the count that it returned; nothing of it stays."""
        with db.transaction(self.engine) as session:
            self.room = batches.reserve(session, self.issue, room)
            worker = _worker(session)
            start, busy = time.perf_counter(), _cpu(worker)
            count = act(session)
            made = Timed(seconds=time.perf_counter() - start, cpu=_cpu(worker) - busy, count=count)
            session.rollback()
        self._tidy()
        return made

    def _tidy(self) -> None:
        if self.engine.dialect.name == "postgresql":
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM delivery, delivery_batch"))

    def statement(self, session: Session) -> int:
        """Execute the statement that planning executes."""
        return planning.insert_deliveries(
            session, self.issue, lists=LISTS, segments=[], room=self.room, batch=BATCH, now=self.now
        )

    def by_hand(self, session: Session) -> int:
        """Execute the statement that was typed."""
        moments = {"now": self.now, "weekly": self.now - timedelta(days=6), "monthly": self.now - timedelta(days=27)}
        return _typed(session.connection(), {"issue": self.issue, "first": self.room.start, **moments})

    def plan(self, session: Session) -> int:
        """Plan the whole: the deliveries, the batches, the audience and the record."""
        made = planning.plan(
            session, self.issue, lists=LISTS, segments=[], batch=BATCH, actor="bench", now=self.now
        )  # fmt: skip
        return made.size

    def count(self, session: Session) -> int:
        """Count the audience, as the question before a send does."""
        return audiences.count(session, self.issue, lists=LISTS, segments=[], now=self.now).audience


def _typed(connection: Connection, given: dict[str, object]) -> int:
    if connection.dialect.name == "sqlite":  # which keeps moments as text
        given = {name: f"{each:%Y-%m-%d %H:%M:%S.%f}" if isinstance(each, datetime) else each
                 for name, each in given.items()}  # fmt: skip
    made = connection.execute(text(BY_HAND).execution_options(preserve_rowcount=True), given)
    return made.rowcount


def say(name: str, size: int) -> None:
    """Print what one database came to."""
    with databases.folder() as home:
        here = Bench(_DATABASES[name](home), size, datetime.now(UTC))
        room = -(-here.timed(here.count).count // BATCH)
        planned = here.timed(here.statement, room=room).count  # once for nothing: the caches are warm for both
        ours: list[Timed] = []
        theirs: list[Timed] = []
        for _ in range(ROUNDS):
            ours.append(_same(here.timed(here.statement, room=room), planned))
            theirs.append(_same(here.timed(here.by_hand, room=room), planned))
        counted, whole = (
            statistics.median(_same(here.timed(act), planned).seconds for _ in range(ROUNDS))
            for act in (here.count, here.plan)
        )
        for word, unit in (("clock", "seconds"), ("CPU", "cpu")):
            mine, other = (statistics.median(getattr(each, unit) for each in several) for several in (ours, theirs))
            told = f"{mine / other:.2f} times it (at most 1.3)" if other else "too short to compare"
            print(
                f"{name}, {planned} deliveries, {word}: the statement {mine:.1f} s, typed by hand {other:.1f} s, {told}"
            )
        print(
            f"{name}: the whole plan, batches of {BATCH} included, {whole:.1f} s; the count before it {counted:.1f} s"
        )
        say_memory(name, here, planned)


def _same(timed: Timed, planned: int) -> Timed:
    if timed.count != planned:
        raise SystemExit(f"{timed.count} rows where {planned} were expected")
    return timed


def say_memory(name: str, here: Bench, planned: int) -> None:
    """Print the peak of a process that plans and does nothing else."""
    here.engine.dispose()
    url = here.engine.url.render_as_string(hide_password=False)
    run = [sys.executable, __file__, "--plan-only", url, "--issue", str(here.issue)]
    done = subprocess.run(run, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    print(f"{name}: peak memory of planning {planned} deliveries: {done.stdout.strip()}")


def say_small(name: str, size: int) -> None:
    """Print the memory alone, for fewer readers."""
    with databases.folder() as home:
        here = Bench(_DATABASES[name](home), size, datetime.now(UTC))
        say_memory(name, here, here.timed(here.statement).count)


def _plan_only(url: str, issue: int) -> None:
    engine = db.open_engine(url)
    before = _peak()
    with db.transaction(engine) as session:
        planning.plan(
            session, issue, lists=LISTS, segments=[], batch=BATCH, actor="bench", now=datetime.now(UTC)
        )  # fmt: skip
    print(f"{_peak():.0f} MB ({_peak() - before:.0f} MB over its start)")


def _peak() -> float:
    """Return the most memory that this process ever had; what getrusage says would be its parent's (proc(5))."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--size", type=int, default=1_000_000, help="how many deliveries to plan, about")
    asked.add_argument("--plan-only", metavar="URL", help=argparse.SUPPRESS)
    asked.add_argument("--issue", type=int, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.plan_only:
        _plan_only(given.plan_only, given.issue)
        sys.exit()
    print(f"Python {platform.python_version()}, median of {ROUNDS}")
    for database in _DATABASES:
        say_small(database, given.size // 10)
        say(database, given.size)
