"""Polling: asking the feeds that are due, several at once and each host in peace, and storing what they bring.

What a server said of its document (ETag, Last-Modified) is kept in the transaction that stores the document's items,
and only there: a poll that is cut off at any moment asks for the same items again.
"""

import hashlib
import queue
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from newsletter import db, hosts
from newsletter.discovery import clusters, feeds, inbox, parsing, verdicts
from newsletter.discovery.documents import Document
from newsletter.discovery.models import Feed
from newsletter.discovery.parsing import Parsers
from newsletter.discovery.verdicts import Polled, Visit
from newsletter.errors import BadInput, DatabaseError
from newsletter.fetching import Answer, Client, NoAnswer

WORKERS, PAUSE = 8, 2.0
#: Visits that are stored in one transaction, at most, and the seconds in which they must have come.
GROUP, MOMENT = 50, 0.25


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a worker needs to know of a feed: it must not touch the database."""

    id: int
    url: str
    etag: str
    last_modified: str
    body_sha256: str


@dataclass
class Poller:
    """Polls feeds. `pause` is how many seconds a host is left alone between two questions."""

    engine: Engine
    client: Client = field(default_factory=Client)
    parsers: Parsers = field(default_factory=parsing.shared)
    workers: int = WORKERS
    pause: float = PAUSE
    tell: Callable[[int, int | None], object] = field(default=lambda done, size: None)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def poll(self, only: Iterable[int] | None = None) -> list[Polled]:
        """Ask the feeds that are due, or only these, and return what came of each, in the order of its answer."""
        with db.reading(self.engine) as session:
            asked = [_asked(feed) for feed in feeds.due(session, now=self.clock(), only=only)]
        done: list[Polled] = []
        for visits in _grouped(self._visits(asked)):
            done += self._store(visits)
            self.tell(len(done), len(asked))
        fresh = [item for polled in done for item in polled.new]
        with db.transaction(self.engine) as session:
            clusters.put(session, fresh, now=self.clock())
            inbox.expire(session, now=self.clock())
        return done

    def _visits(self, asked: list[Asked]) -> Iterator[list[Visit]]:
        """Yield what the workers bring, as much at a time as there is."""
        with hosts.asking(asked, self.visit, workers=self.workers, pause=self.pause) as brought:
            left = len(asked)
            while left:
                visits = _gathered(brought, min(left, GROUP))
                left -= len(visits)
                yield [hosts.sound(visit) for visit in visits]

    def visit(self, asked: Asked) -> Visit:
        """Ask one feed and read what it answers; nothing is stored."""
        wanted = {"If-None-Match": asked.etag, "If-Modified-Since": asked.last_modified}
        try:
            answer = self.client.get(asked.url, headers={name: value for name, value in wanted.items() if value})
        except NoAnswer as error:
            return Visit(feed=asked.id, url=asked.url, cause=error.cause, fault=str(error))
        digest = hashlib.sha256(answer.body).hexdigest()
        if answer.status != 200 or digest == asked.body_sha256:
            return Visit(feed=asked.id, url=asked.url, answer=_bare(answer), digest=digest)
        try:
            document = self._read(answer)
        except BadInput as error:
            return Visit(feed=asked.id, url=asked.url, answer=_bare(answer), fault=str(error))
        return Visit(feed=asked.id, url=asked.url, answer=_bare(answer), digest=digest, document=document)

    def _read(self, answer: Answer) -> Document:
        return self.parsers.parse(answer.body, url=answer.url, content_type=answer.headers.get("content-type", ""))

    def _store(self, visits: list[Visit]) -> list[Polled]:
        try:
            return self._settle(visits)
        except DatabaseError as error:
            if len(visits) > 1:  # one that cannot be stored must not hold up the others
                return [polled for visit in visits for polled in self._store([visit])]
            fault = f"it cannot be stored: {error}"[:500]
            return self._settle([replace(visits[0], document=None, fault=fault)])

    def _settle(self, visits: list[Visit]) -> list[Polled]:
        now = self.clock()
        with db.transaction(self.engine) as session:
            return verdicts.settle(session, visits, now=now, chance=random.random)


def _asked(feed: Feed) -> Asked:
    assert feed.id is not None
    return Asked(
        id=feed.id, url=feed.url, etag=feed.etag, last_modified=feed.last_modified, body_sha256=feed.body_sha256
    )


def _bare(answer: Answer) -> Answer:
    """Return the answer without its body, which is read: a thousand of them would fill the memory."""
    return Answer(url=answer.url, status=answer.status, headers=answer.headers, moved_to=answer.moved_to)


def _gathered(brought: "queue.SimpleQueue[Visit | BaseException]", most: int) -> list[Visit | BaseException]:
    """Return what comes within a moment of the first: to store things together costs less than to store each."""
    found = [brought.get()]
    end = time.monotonic() + MOMENT
    with suppress(queue.Empty):
        while len(found) < most:
            found.append(brought.get(timeout=max(0.0, end - time.monotonic())))
    return found


def _grouped(visits: Iterator[list[Visit]]) -> Iterator[list[Visit]]:
    """Yield the groups, and see that the workers end when the one who stores fails."""
    try:
        yield from visits
    finally:
        visits.close()  # type: ignore[attr-defined]
