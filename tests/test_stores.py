"""What a test finds in its database is what was kept for it, and nothing of the tests before."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlmodel import Session

from newsletter import db
from newsletter.settings import Settings
from subscribers import lists
from tests.delivery import desk
from tests.support import stores
from tests.support.stores import Keeper


def make(engine: Engine, name: str, now: datetime) -> int:
    with db.transaction(engine) as session:
        return lists.create(session, name, title=name, now=now).id


def names(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return [each.name for each in lists.all(session)]


def test_a_state_is_made_once_and_comes_back_with_its_files(
    engine: Engine, settings: Settings, once: Keeper, now: datetime
) -> None:
    made = []

    def prepare() -> None:
        made.append(make(engine, "weekly", now))
        (settings.folder / "briefings" / "one.md").write_text("One")

    once("a list", prepare)
    (settings.folder / "briefings" / "one.md").write_text("Two")
    assert make(engine, "daily", now) == 2
    once("a list", prepare)
    assert made == [1]
    assert names(engine) == ["weekly"]
    assert (settings.folder / "briefings" / "one.md").read_text() == "One"
    assert make(engine, "monthly", now) == 2, "numbers go on where they were"


@pytest.mark.parametrize("count", [1, 1200])
def test_few_rows_and_many_are_emptied_alike(
    engine: Engine, database_url: str, tmp_path: Path, now: datetime, count: int
) -> None:
    store = stores.at(database_url)
    store.keep(tmp_path / "nothing")
    desk.make(engine, now, count)
    store.bring(tmp_path / "nothing")
    with engine.connect() as connection:
        for table in db.tables().sorted_tables:
            assert connection.execute(select(table)).first() is None
    assert make(engine, "first", now) == 1
