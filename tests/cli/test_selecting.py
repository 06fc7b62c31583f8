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


def test_an_issue_for_a_list_goes_there_by_itself_and_nowhere_else(desk: Desk) -> None:
    assert desk.json("compose", "--list", "weekly", "--as", "mara")["list"] == "weekly"
    assert desk.json("compose", "--list", "empty", "--as", "mara")["items"] == ["cranes"]
    desk.run("issues", "freeze", "1", "--as", "mara")
    error = desk.refuses("send", "1", "--list", "empty", "--yes", "--as", "mara")
    assert "issue 1 is composed for the list weekly, and cannot go to empty; send it: newsletter send 1" in error
    assert desk.json("send", "1", "--count", "--as", "mara")["audience"] == 2
    waits = desk.json("send", "1", "--at", "2099-01-01T07:00Z", "--yes", "--as", "mara")
    assert waits["lists"] == ["weekly"]
    desk.run("schedule", "remove", "1", "--as", "mara")
    assert "2 readers of weekly" in desk.refuses("send", "1", "--as", "mara")
    assert desk.json("issues", "show", "1")["list"] == "weekly"
    assert "no list 'weekli'; did you mean weekly" in desk.refuses(
        "compose", "--list", "weekli", "--as", "mara", code=3
    )
