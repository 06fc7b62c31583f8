"""Issues that differ by reader, by the commands."""

import email
import email.policy
from pathlib import Path

from tests.support.commands import Desk


def test_an_issue_is_composed_changed_and_tried_by_topic(desk: Desk, tmp_path: Path) -> None:
    intro = tmp_path / "intro.md"
    intro.write_text("Dear {{ subscriber.name | default('reader') }}.\n", "utf-8")
    for name in ("networks", "law"):
        desk.run("topics", "add", name)
    desk.run("subscribers", "add", "ada@example.com", "--list", "weekly", "--name", "Ada", "--topic", "networks")
    desk.run("subscribers", "add", "bo@example.com", "--list", "weekly", "--topic", "law")
    issue = desk.json("compose", "--pick", "cranes", "--intro", str(intro), "--by-topic", "--as", "mara")
    assert (issue["by_topic"], issue["by_audience"], issue["leads"], issue["unmatched"]) == (True, False, 1, "lead")
    subject = "{{ subscriber.name | default('The week') }}"
    edited = desk.json("issues", "edit", "1", "--subject", subject, "--by-audience", "--unmatched", "skip")
    assert (edited["subject"], edited["by_audience"], edited["unmatched"]) == (subject, True, "skip")
    shown = desk.run("issues", "show", "1").stdout
    assert "Differs by reader: items by topic, and no copy where none matches; what a buyer should know" in shown
    desk.run("issues", "freeze", "1", "--as", "mara")
    assert "frozen" in desk.refuses("issues", "edit", "1", "--no-by-topic")
    desk.run("send", "1", "--list", "weekly", "--dry-run", str(tmp_path / "dry"))
    said = {}
    for path in (tmp_path / "dry").iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        said[message["To"]] = message["Subject"], message.get_body(("plain",)).get_content().count("Dear Ada.")  # type: ignore[union-attr]
    assert said == {
        "ada@example.com": ("Ada", 1),
        "one@example.com": ("The week", 0),
        "two@example.com": ("The week", 0),
    }


def test_what_says_nothing_is_asked_back(desk: Desk) -> None:
    assert "say what to change" in desk.refuses("issues", "edit", "1", code=2)
    assert "add --by-topic" in desk.refuses("compose", "--pick", "cranes", "--leads", "2", code=2)
    assert "add --by-topic" in desk.refuses("compose", "--pick", "cranes", "--unmatched", "skip", code=2)
