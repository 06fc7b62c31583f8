"""A short soak: the long one is bench/soak.py."""

import random
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.settings import Settings
from tests.delivery import logbook
from tests.delivery.soak import Soak


@pytest.mark.parametrize("hold", [False, True])
def test_ten_connections_killed_at_random_skip_nobody(
    engine: Engine, settings: Settings, tmp_path: Path, hold: bool
) -> None:
    seed = random.randrange(10**6)
    with logbook.serving(tmp_path / "log") as book:
        soak = Soak(
            engine=engine, settings=settings, book=book, recipients=1500, kills=3, hold=hold, chance=random.Random(seed)
        )
        toll = soak.run()
    assert toll.broken(hold=hold) == [], f"seed {seed}"
    assert toll.in_flight >= (toll.status.unknown if hold else toll.duplicates)
