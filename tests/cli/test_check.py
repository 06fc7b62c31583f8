"""`newsletter check`: an issue held against everything, by hand and by program."""

from pathlib import Path

import pytest

from tests.support.commands import Desk
from tests.support.stores import Keeper


@pytest.fixture
def issue(desk: Desk, once: Keeper) -> Desk:
    """Return the desk with issue 1, which has something to warn of and nothing that blocks."""
    words = ("--subject", "Cranes", "--preheader", "Short", "--as", "mara")
    once("issue", lambda: desk.run("compose", "--pick", "cranes", *words))
    return desk


def test_findings_say_where_why_and_what_next(issue: Desk) -> None:
    answer = issue.json("check", "1")
    assert (answer["issue"], answer["blocked"]) == (1, False)
    (found,) = [each for each in answer["findings"] if each["rule"] == "email.preheader_length"]
    assert (found["severity"], found["where"]) == ("warn", "preheader")
    assert all(found[key] for key in ("message", "why", "next"))


def test_a_block_ends_with_1_and_keeps_the_issue_from_being_frozen_and_sent(issue: Desk) -> None:
    path = issue.folder / "newsletter.toml"
    path.write_text(path.read_text("utf-8") + '\n[check]\nblock = ["email.preheader_length"]\n', "utf-8")
    assert issue.json("check", "1", code=1)["blocked"] is True
    assert "email.preheader_length" in issue.refuses("issues", "freeze", "1", "--as", "mara")


def test_send_refuses_what_came_to_block_after_the_freeze(issue: Desk) -> None:
    issue.run("issues", "freeze", "1", "--as", "mara")
    path = issue.folder / "newsletter.toml"
    path.write_text(path.read_text("utf-8") + '\n[check]\nblock = ["email.preheader_length"]\n', "utf-8")
    assert "email.preheader_length" in issue.refuses("send", "1", "--list", "weekly", "--yes", "--as", "mara")


def test_an_issue_shows_what_the_gate_said_at_the_freeze(issue: Desk) -> None:
    issue.run("issues", "freeze", "1", "--as", "mara")
    (report,) = issue.json("issues", "show", "1")["reports"]
    warned = {each["rule"] for each in report["findings"]}
    assert "email.preheader_length" in warned
    assert list(report["texts"]) == ["cranes"]
    shown = issue.run("issues", "show", "1").stdout
    assert f"The gate at the freeze: warns of {', '.join(sorted(warned))}; report 1, made for mara on" in shown


def test_a_broken_template_is_a_finding_with_its_file_and_line(issue: Desk) -> None:
    folder = issue.folder / "templates" / "mine"
    folder.mkdir(parents=True)
    (folder / "issue.mjml.j2").write_text("<mjml>\n<mj-body>\n<mj-foo />\n</mj-body>\n</mjml>\n", "utf-8")
    (folder / "issue.txt.j2").write_text("x", "utf-8")
    for name in ("inline.css", "theme.toml"):
        (folder / name).write_text("", "utf-8")
    path = issue.folder / "newsletter.toml"
    text = path.read_text("utf-8").replace("[publication]", '[publication]\ntheme = "mine"', 1)
    path.write_text(text, "utf-8")
    found = issue.json("check", "1", code=1)["findings"][0]
    assert (found["rule"], found["where"]) == ("email.template", f"{folder / 'issue.mjml.j2'}:3")


def test_a_sender_that_no_message_can_leave_from_is_a_finding(issue: Desk) -> None:
    path = issue.folder / "newsletter.toml"
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("from = ")]
    path.write_text("\n".join(lines), "utf-8")
    found = issue.json("check", "1", code=1)["findings"]
    assert [(each["rule"], each["where"]) for each in found if each["severity"] == "block"] == [
        ("email.headers", "headers")
    ]


def test_links_are_asked_only_when_wanted(issue: Desk, tmp_path: Path) -> None:
    dead = [each for each in issue.json("check", "1")["findings"] if each["rule"] == "email.dead"]
    assert dead == []
    dead = [each for each in issue.json("check", "1", "--links")["findings"] if each["rule"] == "email.dead"]
    assert dead  # the sample's sources are at names that nobody has
    assert all(each["severity"] == "warn" for each in dead)
