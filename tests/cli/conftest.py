"""A publication with two people, a list and approved briefings, made by commands."""

from pathlib import Path

import pytest

from newsletter.settings import Settings
from tests.support.commands import Desk
from tests.support.stores import Keeper
from tests.support.texts import briefing


@pytest.fixture
def desk(settings: Settings, tmp_path: Path, once: Keeper) -> Desk:
    """Return a desk with people, a list with two readers, one approved briefing and one draft."""
    here = Desk(settings.folder)
    once("desk", lambda: _furnish(here, tmp_path))
    return here


def _furnish(here: Desk, tmp_path: Path) -> None:
    here.run("people", "add", "mara")
    here.run("people", "add", "jonas")
    for name in ("cranes", "grid"):
        path = tmp_path / f"{name}.md"
        path.write_text(briefing(name), "utf-8")
        here.run("briefings", "import", str(path), "--as", "mara")
    here.run("briefings", "submit", "cranes", "--as", "mara")
    here.run("briefings", "approve", "cranes", "--as", "jonas")
    here.run("lists", "create", "weekly")
    here.run("lists", "create", "empty")
    for name in ("one", "two"):
        here.run("subscribers", "add", f"{name}@example.com", "--list", "weekly")
