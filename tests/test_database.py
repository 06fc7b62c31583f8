"""The schema and its migrations."""

import importlib
from datetime import datetime

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import DBAPIError

from newsletter import audit, db
from newsletter.delivery import planning
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY
from newsletter.editorial.models import Approval, Briefing
from newsletter.errors import DatabaseError
from newsletter.feedback import events
from newsletter.feedback.models import EventKind
from newsletter.settings import Settings
from subscribers import lists, subscribers
from tests.delivery import desk
from tests.support.keys import KEYRING


def test_the_migrations_make_the_tables_that_the_models_describe(engine: Engine) -> None:
    assert db.differences(engine) == []


def test_the_listed_versions_are_those_of_the_migration_files(engine: Engine) -> None:
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(db.alembic_config(connection))
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == db.VERSIONS


def test_a_database_of_a_newer_version_is_refused_and_left_alone(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (lambda: db.connect(settings), lambda: db.upgrade(engine)):
        with pytest.raises(DatabaseError, match="9999, newer than this program"):
            use()
    with engine.begin() as connection:  # the next test finds the database as it was
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{db.VERSIONS[-1]}'"))


@pytest.mark.parametrize("table", ["approval", "audit_entry", "consent", "event"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = '2020-01-01'", "DELETE FROM {}"])
def test_what_was_the_case_is_never_changed(engine: Engine, now: datetime, table: str, change: str) -> None:
    add_one_of_each(engine, now)
    with pytest.raises(DBAPIError, match=f"rows of {table} are never"), engine.begin() as connection:
        connection.execute(text(change.format(table)))


def test_whom_a_row_is_about_can_be_forgotten(engine: Engine, now: datetime) -> None:
    add_one_of_each(engine, now)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM subscriber"))
        for table in ("consent", "event"):
            assert connection.execute(text(f"SELECT subscriber_id FROM {table}")).scalars().all() == [None]


def add_one_of_each(engine: Engine, now: datetime) -> None:
    with db.transaction(engine) as session:
        lists.create(session, "weekly", now=now)
        reader = subscribers.add(session, "one@example.com", lists=["weekly"], keyring=KEYRING, now=now)
        events.record(session, EventKind.OPENED, subscriber_id=reader.id, now=now)
        audit.append(session, "tested", actor="mara", kind="test", name=1, now=now)
        session.add(Briefing(id="one", revision=1, sha256="0" * 64, created_at=now, changed_at=now))
        session.flush()
        session.add(Approval(briefing_id="one", revision=1, sha256="0" * 64, person="mara", at=now))


def test_who_waited_for_another_attempt_before_waits_were_added_up_has_them_by_the_usual_schedule(
    engine: Engine, now: datetime
) -> None:
    issue = desk.make(engine, now, 6)
    with db.transaction(engine) as session:
        planning.plan(session, issue, lists=("weekly",), segments=(), batch=10, actor="mara", now=now)
        keys = session.scalars(select(DELIVERY.c.id).order_by(DELIVERY.c.id)).all()
        states = (
            ("deferred", "transient", 1), ("deferred", "slow: example.com", 7), ("pending", "resent", 3),
            ("deferred", "mailbox_full", 4), ("sent", "", 5), ("pending", "", 0),
        )  # fmt: skip
        for key, (state, reason, attempts) in zip(keys, states, strict=True):
            told = {"state": DeliveryState(state), "reason": reason, "attempts": attempts}
            session.execute(update(DELIVERY).where(DELIVERY.c.id == key).values(told))
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        importlib.import_module("newsletter.migrations.versions.0017_waits_add_up")._add_up()
    with db.reading(engine) as session:
        waits = session.scalars(select(DELIVERY.c.waited).order_by(DELIVERY.c.id)).all()
    assert [each / 60 for each in waits] == [5, 710, 50, 1740, 0, 0]


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    assert db.upgrade(engine) == (db.VERSIONS[-1], db.VERSIONS[-1])
