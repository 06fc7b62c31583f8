"""How segments answer at a million subscribers, beside SQL typed by hand for the same question.

    python bench/segments.py [--size N] [--rounds R]

Ours takes the text of the condition: reading it, looking names up, counting, and a scan in pages of 5000. The reference
is a driver's connection with the statement that the indexes suggest, its numbers and moments filled in beforehand.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bench import crowd, databases
from newsletter import db
from subscribers import segments

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PAGE = 5000
_SINCE = NOW - timedelta(days=90)


@dataclass(frozen=True)
class Question:
    """One question: as a condition, and typed by hand as a count and as a page after `:after`."""

    name: str
    condition: str
    count: str
    page: str


QUESTIONS = [
    Question(
        "topic",
        "topics has 'ai-chips' and lists has 'weekly'",
        "SELECT count(*) FROM subscriber_topic t JOIN subscription s ON s.subscriber_id = t.subscriber_id "
        "WHERE t.topic_id = 1 AND s.list_id = 1 AND s.state = 'confirmed'",
        "SELECT t.subscriber_id, p.email FROM subscriber_topic t JOIN subscriber p ON p.id = t.subscriber_id "
        "WHERE t.topic_id = 1 AND t.subscriber_id > :after AND p.id > :after AND EXISTS (SELECT 1 FROM subscription s "
        "WHERE s.list_id = 1 AND s.state = 'confirmed' AND s.subscriber_id = p.id AND s.subscriber_id > :after) "
        "ORDER BY t.subscriber_id LIMIT 5000",
    ),
    Question(
        "country and attribute",
        "country = 'DE' and plan = 'pro'",
        "SELECT count(*) FROM subscriber WHERE country = 'DE' AND attributes ->> 'plan' = 'pro'",
        "SELECT id, email FROM subscriber WHERE country = 'DE' AND attributes ->> 'plan' = 'pro' AND id > :after "
        "ORDER BY id LIMIT 5000",
    ),
    Question(
        "recency",
        "joined within 90 days and language = 'de'",
        "SELECT count(*) FROM subscriber WHERE joined_at >= :since AND language = 'de'",
        "SELECT id, email FROM subscriber WHERE joined_at >= :since AND language = 'de' AND id > :after "
        "ORDER BY id LIMIT 5000",
    ),
    Question(
        "history",
        "opened within 90 days",
        "SELECT count(DISTINCT subscriber_id) FROM event WHERE kind = 'opened' AND at >= :since",
        "SELECT id, email FROM subscriber p WHERE id > :after AND EXISTS (SELECT 1 FROM event e WHERE "
        "e.kind = 'opened' AND e.at >= :since AND e.subscriber_id = p.id AND e.subscriber_id > :after) "
        "ORDER BY id LIMIT 5000",
    ),
    Question(
        "negation",
        "not topics has 'energy' and not plan in ('trial')",
        "SELECT count(*) FROM subscriber p WHERE coalesce(attributes ->> 'plan', '') <> 'trial' "
        "AND NOT EXISTS (SELECT 1 FROM subscriber_topic t WHERE t.topic_id = 2 AND t.subscriber_id = p.id)",
        "SELECT id, email FROM subscriber p WHERE id > :after AND coalesce(attributes ->> 'plan', '') <> 'trial' "
        "AND NOT EXISTS (SELECT 1 FROM subscriber_topic t WHERE t.topic_id = 2 AND t.subscriber_id = p.id "
        "AND t.subscriber_id > :after) ORDER BY id LIMIT 5000",
    ),
]


class ByHand:
    """A driver's connection that answers statements."""

    def __init__(self, session: Session) -> None:
        connection = session.connection()
        self.driver: Any = connection.connection.driver_connection
        self.postgresql = connection.dialect.name == "postgresql"
        self.since: Any = _SINCE if self.postgresql else f"{_SINCE:%Y-%m-%d %H:%M:%S.%f}"

    def ask(self, statement: str, after: int = 0) -> list[Any]:
        """Return the rows of an answer."""
        if self.postgresql:
            statement = statement.replace(":after", "%(after)s").replace(":since", "%(since)s")
        return list(self.driver.execute(statement, {"after": after, "since": self.since}).fetchall())

    def count(self, question: Question) -> int:
        """Return how many match."""
        return int(self.ask(question.count)[0][0])

    def scan(self, question: Question) -> Iterator[list[Any]]:
        """Yield everybody who matches, a page at a time."""
        after = 0
        while page := self.ask(question.page, after):
            yield page
            if len(page) < PAGE:
                return
            after = page[-1][0]


def our_count(session: Session, question: Question) -> int:
    """Return how many match, from the text of the condition."""
    return segments.matching(session, segments.understand(session, question.condition, now=NOW))


def our_scan(session: Session, question: Question) -> Iterator[Any]:
    """Yield everybody who matches, a page at a time, from the text of the condition."""
    condition, after = segments.understand(session, question.condition, now=NOW), 0
    while page := segments.page(session, condition, after=after, limit=PAGE):
        yield page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def timed(ask: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds that an answer takes, and those of them that this process worked."""
    begun, worked = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - begun, time.process_time() - worked


def beside(name: str, ours: Callable[[], Any], hand: Callable[[], Any], rounds: int, *, inside: bool) -> None:
    """Print the median of some rounds of each, alternating, and their ratio; the CPU's too where it is all `inside`."""
    assert ours() == hand(), name  # and warm
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(timed(ours))
        theirs.append(timed(hand))
    (high, worked), (low, their) = (map(statistics.median, zip(*each, strict=True)) for each in (mine, theirs))
    cpu = f"   CPU {worked / their:5.2f} x" if inside else ""
    print(f"  {name:36} {high * 1000:8.1f} ms   by hand {low * 1000:8.1f} ms   {high / low:5.2f} x{cpu}", flush=True)


def compare(engine: Engine, rounds: int) -> None:
    """Print every question's ratios on one database."""
    inside = engine.dialect.name == "sqlite"
    with db.reading(engine) as session:
        hand = ByHand(session)
        text = " or ".join(question.condition for question in QUESTIONS)
        reading = [timed(lambda: segments.understand(session, text, now=NOW))[0] for _ in range(rounds * 3)]
        print(f"{engine.dialect.name}; reading all five takes {statistics.median(reading) * 1000:.1f} ms", flush=True)
        for each in QUESTIONS:
            name = f"{each.name}: count ({hand.count(each)})"
            count, by_hand = partial(our_count, session, each), partial(hand.count, each)
            beside(name, count, by_hand, rounds, inside=inside)
            scan, by_hand = partial(our_scan, session, each), partial(hand.scan, each)
            beside(f"{each.name}: scan", partial(total, scan), partial(total, by_hand), rounds, inside=inside)


def total(scan: Callable[[], Iterator[Any]]) -> int:
    """Return how many a scan meets."""
    return sum(map(len, scan()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with databases.folder() as home:
        for make in (databases.sqlite, databases.postgresql):
            engine = make(home)
            crowd.fill(engine, given.size, now=NOW)
            compare(engine, given.rounds)
            engine.dispose()


if __name__ == "__main__":
    main()
