"""What the tests of imports share: a desk with two lists, and a file in one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select
from sqlmodel import Session

from newsletter import db
from subscribers import attributes, imports, subscribers
from subscribers.imports import ImportResult, Request
from subscribers.models import Consent, ImportRun, Subscriber, Subscription
from subscribers.subscribers import SubscriberView
from tests.support.keys import KEYRING

HEAD = "email,name,country,topics,plan\n"


@dataclass(frozen=True)
class Desk:
    """An empty desk with the lists `weekly` (1) and `alerts` (2), and the attribute `plan`."""

    engine: Engine
    folder: Path
    now: datetime

    @contextmanager
    def open(self) -> Iterator[Session]:
        """Open a transaction."""
        with db.transaction(self.engine) as session:
            yield session

    def load(self, content: str | bytes | Path, *, now: datetime | None = None, **how: Any) -> ImportResult:
        """Import a file of this content onto `weekly`."""
        path = content if isinstance(content, Path) else self.folder / how.pop("name", "people.csv")
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        more = {key: how.pop(key) for key in ("dry_run", "restart", "progress", "record") if key in how}
        request = Request(file=path, **{"lists": ["weekly"], "basis": "signed up at the fair", **how})
        return imports.load(self.open, request, keyring=KEYRING, actor="mara", now=now or self.now, **more)

    def declare(self, *names: str) -> None:
        """Declare attributes of text."""
        with self.open() as session:
            for name in names:
                attributes.add(session, name, now=self.now)

    def find(self, email: str) -> SubscriberView:
        """Return a subscriber."""
        with self.open() as session:
            return subscribers.find(session, email)

    def everybody(self) -> list[SubscriberView]:
        """Return every subscriber by address."""
        with self.open() as session:
            return sorted(subscribers.all(session), key=lambda each: each.email)

    def stored(self) -> tuple[int, int, int, int]:
        """Return how many subscribers, subscriptions, consents and imports there are."""
        with self.open() as session:
            return tuple(
                session.execute(select(func.count()).select_from(model)).scalar_one()
                for model in (Subscriber, Subscription, Consent, ImportRun)
            )


def counts(result: ImportResult) -> tuple[int, int, int, int, int, int]:
    """Return the numbers: added, updated, unchanged, rejected, suppressed, kept out."""
    return (
        result.added, result.updated, result.unchanged, result.rejected, result.suppressed, result.kept_out
    )  # fmt: skip


def many(size: int) -> str:
    """Return a file of so many people."""
    return HEAD + "".join(
        f"r{number}@c{number % 9}.example,Reader {number},DE,energy;cloud,pro\n" for number in range(size)
    )
