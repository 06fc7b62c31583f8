"""Composing what there is room for, by the command."""

from pathlib import Path

from tests.support.commands import Desk
from tests.support.texts import briefing


def test_compose_says_what_is_left_out_and_why(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "tugs.md"
    path.write_text(briefing("tugs"), "utf-8")
    desk.run("briefings", "import", str(path), "--as", "mara")
    desk.run("briefings", "submit", "tugs", "--as", "mara")
    desk.run("briefings", "approve", "tugs", "--as", "jonas")
    composed = desk.json("compose", "--from-approved", "--per-topic", "1", "--as", "mara")
    assert composed["items"] == ["tugs"]
    assert composed["left_out"] == {"cranes": "the issue has 1 about networks already (--per-topic)"}
    said = desk.run("compose", "--from-approved", "--limit", "1", "--as", "mara").stdout
    assert "  1. cranes\n  Left out: tugs: it is in issue 1\n" in said
    error = desk.refuses("compose", "--from-approved", "--as", "mara")
    assert "nothing to compose now (cranes: it is in issue 2; tugs: it is in issue 1)" in error


def test_limits_do_not_go_with_picks(desk: Desk) -> None:
    for words in (("--limit", "1"), ("--per-topic", "1"), ("--max-minutes", "0")):
        assert "leave out --from-approved" in desk.refuses("compose", "--pick", "cranes", *words, code=2)
