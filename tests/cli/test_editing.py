"""Giving an issue other items, by the commands."""

from pathlib import Path

import pytest

from tests.support.commands import Desk
from tests.support.stores import Keeper
from tests.support.texts import briefing


@pytest.fixture
def assembling(desk: Desk, tmp_path: Path, once: Keeper) -> Desk:
    """Return the desk with issue 1 of cranes and ferries, and tugs approved beside it."""
    once("assembling", lambda: _assemble(desk, tmp_path))
    return desk


def _assemble(desk: Desk, tmp_path: Path) -> None:
    for name in ("ferries", "tugs"):
        path = tmp_path / f"{name}.md"
        path.write_text(briefing(name, title=name.capitalize()), "utf-8")
        desk.run("briefings", "import", str(path), "--as", "mara")
        desk.run("briefings", "submit", name, "--as", "mara")
        desk.run("briefings", "approve", name, "--as", "jonas")
    desk.run("compose", "--pick", "cranes", "ferries", "--as", "mara")


def test_items_are_ordered_added_and_dropped(assembling: Desk) -> None:
    said = assembling.run("issues", "edit", "1", "--order", "2, 1", "--as", "mara").stdout
    assert said.splitlines() == [
        "Issue 1: Ferries. Freeze it: newsletter issues freeze 1", "  1. ferries", "  2. cranes",
    ]  # fmt: skip
    edited = assembling.json("issues", "edit", "1", "--add", "tugs", "--drop", "cranes", "--order", "tugs")
    assert (edited["items"], edited["subject"]) == (["tugs", "ferries"], "Tugs")
    assert edited["preheader"].startswith("The story of tugs begins with a tender")
    assert assembling.json("compose", "--from-approved")["items"] == ["cranes"]


def test_what_was_edited_in_a_file_is_not_added(assembling: Desk) -> None:
    file = assembling.folder / "briefings" / "tugs.md"
    file.write_text(file.read_text("utf-8").replace("surprised", "pleased"), "utf-8")
    assert "it was changed after jonas approved it" in assembling.refuses("issues", "edit", "1", "--add", "tugs")
    assert assembling.json("issues", "show", "1")["items"] == ["cranes", "ferries"]


def test_an_arrangement_that_cannot_be_is_refused_and_changes_nothing(assembling: Desk) -> None:
    assert "1 cranes, 2 ferries" in assembling.refuses("issues", "edit", "1", "--order", "3", code=3)
    assert "newsletter issues cancel 1" in assembling.refuses("issues", "edit", "1", "--drop", "1", "--drop", "2")
    assert "column 1" in assembling.refuses("issues", "edit", "1", "--order", "2", "--subject", "{{ x }}")
    assert assembling.json("issues", "show", "1")["items"] == ["cranes", "ferries"]
    assembling.run("issues", "freeze", "1", "--as", "mara")
    assert "issue 1 is frozen" in assembling.refuses("issues", "edit", "1", "--order", "2")
