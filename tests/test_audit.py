"""The record of who did what."""

from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from newsletter import audit, db
from newsletter.errors import Refused
from tests.support.guards import unguard


def fill(engine: Engine, now: datetime) -> None:
    with db.transaction(engine) as session:
        for action in ("imported", "submitted", "approved"):
            audit.append(session, action, actor="mara", kind="briefing", name="cranes", now=now, revision=1)


def test_entries_come_back_in_order_and_the_chain_holds(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with db.reading(engine) as session:
        assert [entry.action for entry in audit.entries(session, "briefing", "cranes")] == [
            "imported", "submitted", "approved",
        ]  # fmt: skip
        assert audit.verify(session) == 3


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET actor = 'jonas' WHERE id = 2",
        "DELETE FROM audit_entry WHERE id = 2",
        "UPDATE audit_entry SET at = '2020-01-01 00:00:00' WHERE id = 1",
    ],
)
def test_a_changed_or_missing_entry_breaks_the_chain(engine: Engine, now: datetime, change: str) -> None:
    fill(engine, now)
    with engine.begin() as connection:
        unguard(connection, "audit_entry")
        connection.execute(text(change))
    with db.reading(engine) as session, pytest.raises(Refused, match="does not fit the chain"):
        audit.verify(session)
