"""The schema and its migrations."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from newsletter import db
from newsletter.errors import DatabaseError
from newsletter.settings import Settings


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


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    assert db.upgrade(engine) == (db.VERSIONS[-1], db.VERSIONS[-1])
