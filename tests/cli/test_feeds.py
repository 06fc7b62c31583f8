"""`newsletter feeds`, against a publisher on loopback: only a test can let the client go there."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from newsletter import fetching
from newsletter.fetching import Client
from newsletter.settings import Settings
from tests.discovery.publisher import Publisher, Reply, item, publishing, rss
from tests.support.commands import Desk


def undated(outline: str) -> str:
    """Return the document without the second in which it was written, which it must name."""
    bare, named = re.subn("<dateCreated>[^<]+ GMT</dateCreated>", "", outline)
    assert named == 1
    return bare


@pytest.fixture
def here(settings: Settings) -> Desk:
    return Desk(settings.folder)


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """Run a publisher whom the commands may ask."""
    monkeypatch.setattr(fetching, "Client", partial(Client, allowed=lambda address: True, ports=None))
    with publishing() as server:
        server.replies["/feed"] = Reply(rss(item(1), item(2)))
        yield server


def test_a_feed_is_added_polled_listed_changed_and_removed(here: Desk, publisher: Publisher) -> None:
    said = here.run("feeds", "add", f"{publisher.url}/feed").stdout
    assert said == f"Feed 1, The wire, is followed ({publisher.url}/feed); next: newsletter feeds poll\n"
    assert here.run("feeds", "poll").stdout == "1 feed asked, 0 failed; 2 new items, 0 changed\n"
    assert here.run("feeds", "poll").stdout == "0 feeds asked, 0 failed; 0 new items, 0 changed\n"
    (polled,) = here.json("feeds", "poll", "1")
    assert (polled["feed"], polled["status"], polled["new"], polled["fault"]) == (1, 200, [], "")
    assert "1 feed is fine" in here.run("feeds", "health").stdout
    assert "paused" in here.run("feeds", "edit", "1", "--name", "Wire", "--every", "60", "--pause").stdout
    (listed,) = here.json("feeds", "list")
    assert (listed["name"], listed["every"], listed["state"], listed["items"]) == ("Wire", 60, "paused", 2)
    assert "nothing to change" in here.refuses("feeds", "edit", "1", code=2)
    assert "say yes with --yes" in here.refuses("feeds", "remove", "1")
    assert here.run("feeds", "remove", "1", "--yes").stdout == "Wire is followed no more; 2 items left the inbox\n"
    assert here.json("feeds", "list") == []
    here.refuses("feeds", "remove", "1", "--yes", code=3)
    here.run("audit", "verify")


def test_a_feed_that_fails_is_told_by_poll_and_by_health(here: Desk, publisher: Publisher) -> None:
    here.run("feeds", "add", f"{publisher.url}/feed")
    publisher.replies["/feed"] = Reply(status=500)
    for _ in range(3):
        ended = here.run("feeds", "poll", "1")
        assert (ended.stderr, ended.stdout[:23]) == ("The wire: it answers 500\n", "1 feed asked, 1 failed;")
    ended = here.run("feeds", "health", code=1)
    assert "degraded" in ended.stdout
    assert "1 feed needs somebody" in ended.stderr
    assert here.json("feeds", "health", code=1)[0]["why"] == "it answers 500"


def test_feeds_travel_as_opml(here: Desk, publisher: Publisher, tmp_path: Path) -> None:
    here.run("feeds", "add", f"{publisher.url}/feed", "--name", "Our wire")
    file = tmp_path / "feeds.opml"
    here.run("feeds", "export", str(file))
    assert undated(here.run("feeds", "export").stdout) == undated(file.read_text("utf-8"))
    here.run("feeds", "remove", "1", "--yes")
    assert here.json("feeds", "import", str(file)) == {"added": 1, "already": 0, "unusable": []}
    assert [each["name"] for each in here.json("feeds", "list")] == ["Our wire"]
    assert "no OPML" in here.refuses("feeds", "import", str(here.folder / "newsletter.toml"))
    assert "cannot be read" in here.refuses("feeds", "import", str(tmp_path / "none.opml"))


def test_what_lies_inside_the_house_is_never_added(here: Desk) -> None:
    assert "port 631" in here.refuses("feeds", "add", "http://127.0.0.1:631/feed")
    assert "not on the public internet" in here.refuses("feeds", "add", "http://127.0.0.1/feed")
    assert here.json("feeds", "list") == []


def test_following_takes_a_scout(here: Desk, publisher: Publisher) -> None:
    here.run("people", "add", "ada", "--role", "admin")
    for command in (["add", publisher.url], ["poll"], ["edit", "1", "--pause"], ["remove", "1", "--yes"]):
        assert "this takes scout" in here.refuses("feeds", *command, "--as", "ada")
    assert publisher.asked == []
