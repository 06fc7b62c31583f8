"""A desk with readers on two lists, and its web side."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from newsletter import db, publication
from newsletter.settings import Settings
from newsletter.web import serve
from newsletter.web.app import create
from subscribers import audience, lists, subscribers, subscriptions, tokens, topics
from subscribers.tokens import Purpose
from tests.support.keys import KEYRING


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the tests ask and look at."""

    settings: Settings
    engine: Engine
    client: TestClient
    now: datetime
    weekly: int
    monthly: int
    ana: int
    bo: int

    def link(self, purpose: Purpose, first: int, second: int = 0) -> str:
        token = tokens.sign(publication.keyring(self.settings), purpose, first, second)
        return {Purpose.UNSUBSCRIBE: "/u/", Purpose.PREFERENCES: "/p/", Purpose.ISSUE: "/i/"}[purpose] + token

    def leave(self, reader: int, list_id: int) -> str:
        return self.link(Purpose.UNSUBSCRIBE, reader, list_id)

    def states(self, reader: int) -> dict[str, str]:
        with db.reading(self.engine) as session:
            return {each.name: each.state for each in subscriptions.of(session, reader)}

    def audience(self, name: str) -> set[int]:
        with db.reading(self.engine) as session:
            return {
                row[0] for row in session.execute(audience.choose(session, lists=[name], segments=[], now=self.now))
            }

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table: what "nothing changed" is held against."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in db.tables().sorted_tables
            }


@pytest.fixture
def desk(settings: Settings, engine: Engine, now: datetime) -> Iterator[Desk]:
    """Return a desk where Ana reads both lists, and Bo the weekly one."""
    with db.transaction(engine) as session:
        weekly = lists.create(session, "weekly", title="The Weekly Tide", now=now)
        monthly = lists.create(session, "monthly", title="The Monthly Chart", now=now)
        topics.ensure(session, ["fuel", "harbours", "tariffs"])
        ana = subscribers.add(
            session, "ana@quay.example", lists=["weekly", "monthly"], topics=["fuel"], keyring=KEYRING, now=now
        )
        bo = subscribers.add(session, "bo@quay.example", lists=["weekly"], keyring=KEYRING, now=now)
    app = create(settings, engine, clock=lambda: now)
    with TestClient(app, base_url="http://some.proxy.example", follow_redirects=False) as client:
        yield Desk(
            settings=settings, engine=engine, client=client, now=now,
            weekly=weekly.id, monthly=monthly.id, ana=ana.id, bo=bo.id,
        )  # fmt: skip


@contextmanager
def served(settings: Settings, engine: Engine, *, at: datetime | None = None) -> Iterator[str]:
    """Run the real server on a free port, and give its address; `at` is the moment that it takes for now."""
    app = create(settings, engine, clock=lambda: at or datetime.now(UTC))
    server = uvicorn.Server(serve.config(app, trusted=settings.web.trusted_proxies))
    with serve.listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
