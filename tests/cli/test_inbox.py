"""`newsletter inbox`: what an editor sees of the feeds, and decides."""

import os
import pty
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from newsletter import db
from newsletter.editorial.models import Revision
from tests.discovery.publisher import item, rss
from tests.support.commands import Desk, Ended
from tests.support.texts import briefing

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
    assert inbox.run("inbox", "dismiss", "2", "--reason", "not ours").stdout == "1 item is dismissed\n"
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


def test_a_briefing_begins_from_a_story_and_keeps_it_until_it_is_spiked(inbox: Desk) -> None:
    made = inbox.json("briefings", "new", "ferries", "--from", "1", "--as", "mara")
    assert [(source["url"], source["role"]) for source in made["sources"]] == [
        ("https://example.com/1", "discovery"),
        ("https://example.com/3", "secondary"),
    ]
    assert Path(made["path"]).read_text("utf-8").count("retrieved: ") == 2
    assert "claimed by mara for ferries" in " ".join(inbox.run("inbox", "show", "1").stdout.split())
    (story,) = (each for each in inbox.json("inbox") if each["id"] == 1)
    assert (story["state"], story["by"], story["briefing"]) == ("claimed", "mara", "ferries")
    assert "claimed by mara" in inbox.refuses("briefings", "new", "ships", "--from", "3", "--as", "jonas")
    assert not (inbox.folder / "briefings" / "ships.md").exists()
    inbox.run("briefings", "spike", "ferries", "--reason", "no news", "--as", "jonas")
    assert [each["state"] for each in inbox.json("inbox", "show", "1")["items"]] == ["shortlisted", "shortlisted"]
    inbox.run("audit", "verify")


def test_an_approval_uses_what_is_cited_and_gives_the_rest_back(inbox: Desk) -> None:
    path = Path(inbox.json("briefings", "new", "ferries", "--from", "1", "--as", "mara")["path"])
    for cited, left in ((1, 3), (3, 1)):
        path.write_text(briefing("ferries").replace("https://wire.example.org/ferries", f"https://example.com/{cited}"))
        inbox.run("briefings", "submit", "ferries", "--as", "mara")
        inbox.run("briefings", "approve", "ferries", "--as", "jonas")
        states = {each["id"]: each["state"] for each in inbox.json("inbox", "show", "1")["items"]}
        assert states == {cited: "used", left: "shortlisted"}


def test_what_to_begin_must_be_said(inbox: Desk) -> None:
    assert "--from ITEM" in inbox.refuses("briefings", "new", code=2)
    assert "there is no source item 9" in inbox.refuses("briefings", "new", "x-ray", "--from", "9", code=3)


def at_a_terminal(here: Desk, *words: str) -> Ended:
    """Run a command whose stdin is a terminal, and return how it ended."""
    mine, theirs = pty.openpty()
    try:
        started = here.process(*words, stdin=theirs)
        out, err = started.communicate(timeout=60)
    finally:
        os.close(mine)
        os.close(theirs)
    return Ended(started.returncode, out, err)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a terminal asks no database
@pytest.mark.parametrize("words", [["--no-edit"], []])
def test_the_editor_opens_at_a_terminal_and_what_it_wrote_is_taken(
    inbox: Desk, engine: Engine, tmp_path: Path, words: list[str]
) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys\nwith open(sys.argv[1], 'a') as file:\n    file.write('\\nMore.\\n')\n")
    here = Desk(inbox.folder, {**inbox.environ, "VISUAL": f"{sys.executable} {script}", "EDITOR": "false"})
    ended = at_a_terminal(here, "briefings", "new", "--from", "2", "--as", "mara", *words)
    assert (ended.code, ended.stderr) == (0, "")
    assert "waits for your words; then: newsletter briefings check bakers-bake-less-bread" in ended.stdout
    text = (inbox.folder / "briefings" / "bakers-bake-less-bread.md").read_text("utf-8")
    with db.reading(engine) as session:  # no command, which would look at the file once more
        stored = list(session.exec(select(Revision.actor).where(Revision.briefing_id == "bakers-bake-less-bread")))
    assert ("More." in text, stored) == ((False, ["mara"]) if words else (True, ["mara", "mara"]))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # a terminal asks no database
def test_an_editor_that_cannot_be_started_costs_no_briefing(inbox: Desk) -> None:
    here = Desk(inbox.folder, {**inbox.environ, "VISUAL": "/no/such/editor"})
    ended = at_a_terminal(here, "briefings", "new", "--from", "2")
    assert (ended.code, "waits for your words" in ended.stdout) == (0, True)
    assert ended.stderr.startswith("warning: /no/such/editor cannot be started")
