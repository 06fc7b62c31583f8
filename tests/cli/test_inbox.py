"""`newsletter inbox`: what an editor sees of the feeds, and decides."""

from pathlib import Path

import pytest

from tests.discovery.publisher import item, rss
from tests.support.commands import Desk

FERRY = "Ferry company orders four hydrogen ships from Danish yard for northern islands"
AGAIN = "Danish yard to build four hydrogen ships for northern islands ferry company"


@pytest.fixture
def inbox(desk: Desk, tmp_path: Path) -> Desk:
    """Return a desk with three items of two feeds, two of which tell one story."""
    feeds = {"wire": [item(1, title=FERRY), item(2, title="Bakers bake less bread")], "post": [item(3, title=AGAIN)]}
    for name, found in feeds.items():
        (tmp_path / f"{name}.xml").write_bytes(rss(*found))
        desk.run(
            "feeds", "read", str(tmp_path / f"{name}.xml"), "--url", f"https://{name}.example/feed", "--name", name
        )
    return desk


def test_the_inbox_shows_stories_with_their_sources(inbox: Desk) -> None:
    first, second = inbox.json("inbox")
    assert (first["id"], first["sources"], first["items"], first["state"]) == (1, ["wire", "post"], [1, 3], "new")
    assert second["title"] == "Bakers bake less bread"
    assert inbox.json("inbox", "list") == [first, second]
    assert "wire and 1 more" in inbox.run("inbox").stdout
    ended = inbox.run("inbox", "list", "--most", "1")
    assert ended.stderr == "1 more; see them all: newsletter inbox list --most 0\n"


def test_a_story_is_shown_with_what_each_source_says_and_said(inbox: Desk, tmp_path: Path) -> None:
    (tmp_path / "wire.xml").write_bytes(rss(item(1, title="Ferry company orders five ships"), item(2)))
    inbox.run("feeds", "read", str(tmp_path / "wire.xml"), "--url", "https://wire.example/feed")
    said = inbox.run("inbox", "show", "1").stdout
    assert said.startswith("Ferry company orders five ships\nnew\n")
    assert f"UTC: {FERRY}" in said
    assert AGAIN in said
    shown = inbox.json("inbox", "show", "3")
    assert [each["id"] for each in shown["items"]] == [3, 1]
    assert shown["before"]["1"][0]["title"] == FERRY
    assert "there is no source item 9" in inbox.refuses("inbox", "show", "9", code=3)


def test_a_story_is_shortlisted_snoozed_and_dismissed_with_all_its_items(inbox: Desk) -> None:
    assert inbox.json("inbox", "shortlist", "2", "1") == {"state": "shortlisted", "stories": [2, 1], "items": 3}
    assert {each["state"] for each in inbox.json("inbox")} == {"shortlisted"}
    assert inbox.run("inbox", "snooze", "1", "--until", "3d").stdout == "2 items are snoozed\n"
    assert [each["id"] for each in inbox.json("inbox")] == [2]
    assert inbox.run("inbox", "dismiss", "2", "--reason", "not ours").stdout == "1 items are dismissed\n"
    assert inbox.run("inbox").stdout == "The inbox is empty\n"
    assert "not ours" in inbox.run("inbox", "show", "2").stdout
    inbox.run("audit", "verify")


def test_a_decision_that_makes_no_sense_is_refused_whole(inbox: Desk) -> None:
    assert "there is no source item 9" in inbox.refuses("inbox", "dismiss", "2", "9", "--reason", "x", code=3)
    assert "no moment" in inbox.refuses("inbox", "snooze", "2", "--until", "soon", code=2)
    assert "is over" in inbox.refuses("inbox", "snooze", "2", "--until", "2020-01-01")
    assert "needs its reason" in inbox.refuses("inbox", "dismiss", "2", "--reason", " ")
    inbox.run("inbox", "dismiss", "2", "--reason", "x")
    assert "item 2 is dismissed and cannot be snoozed" in inbox.refuses("inbox", "snooze", "2")
    assert {each["state"] for each in inbox.json("inbox")} == {"new"}
