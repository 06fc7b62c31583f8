"""`newsletter briefings recheck`, and the looks that a freeze, a send and a poll take, at a publisher on loopback."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from newsletter import fetching
from newsletter.discovery import originals
from newsletter.fetching import Client
from tests.discovery.publisher import Publisher, Reply, publishing
from tests.discovery.test_originals import long, page
from tests.support.commands import Desk
from tests.support.texts import briefing


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """Run a publisher whom the commands may ask."""
    monkeypatch.setattr(fetching, "Client", partial(Client, allowed=lambda address: True, ports=None))
    with publishing() as server:
        server.replies["/a"] = page(*long())
        yield server


def cite(desk: Desk, url: str, folder: Path) -> None:
    """Bring in an approved briefing that cites a page, and nothing else."""
    text = briefing("harbour")
    first = text.index("url: ")
    path = folder / "harbour.md"
    path.write_text(text[:first] + f"url: {url}" + text[text.index("\n", first) :], "utf-8")
    desk.run("briefings", "import", str(path), "--as", "mara")
    desk.run("briefings", "submit", "harbour", "--as", "mara")


def test_a_freeze_and_a_send_look_at_the_sources_again(desk: Desk, publisher: Publisher, tmp_path: Path) -> None:
    cite(desk, f"{publisher.url}/a", tmp_path)
    here = Desk(desk.folder, {"NEWSLETTER_DISCOVERY_RECHECK": "60"})
    here.run("briefings", "approve", "harbour", "--as", "jonas")
    here.run("compose", "--pick", "harbour", "--list", "weekly")
    here.run("feeds", "poll")
    assert len(publisher.asked) == 1  # the approval's look is young enough
    publisher.replies["/a"] = page(*long("Correction: there are eleven cranes, and not twelve, as it said here."))
    assert "warning" not in here.run("issues", "freeze", "1").stderr
    (again, *_) = here.json("briefings", "recheck", "harbour")
    assert (again["change"], again["source"], again["told"]) == ("corrected", 1, "it speaks of a correction")
    found = [each for each in here.json("check", "1")["findings"] if each["rule"] == "X3"]
    assert [each["severity"] for each in found] == ["warn"]
    assert "was corrected by its publisher since the approval" in found[0]["message"]
    publisher.replies["/a"] = Reply(status=410)
    assert "1 source is gone, of 1;" in here.run("briefings", "recheck", "--issue", "1", code=1).stderr
    assert "is gone since the approval: it answers 410" in here.refuses("send", "1", "--list", "weekly", "--yes")
    assert "whose sources?" in here.refuses("briefings", "recheck", code=2)
    here.refuses("briefings", "recheck", "nobody", code=3)


def test_a_poll_looks_at_what_nobody_looked_at_and_takes_words_where_that_is_switched_on(
    desk: Desk, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "READING", 0.0)
    cite(desk, f"{publisher.url}/a", tmp_path)
    desk.run("briefings", "approve", "harbour", "--as", "jonas")
    desk.run("feeds", "poll")
    assert publisher.asked == []  # the tests' desk looks at nothing
    here = Desk(desk.folder, {"NEWSLETTER_DISCOVERY_RECHECK": "60"})
    here.run("feeds", "poll")
    here.run("feeds", "poll")
    assert len(publisher.asked) == 1
    reading = Desk(desk.folder, {"NEWSLETTER_DISCOVERY_FULLTEXT": "true"})
    assert "1 article looked at for their words" in reading.run("feeds", "poll").stdout
    assert "articles" not in reading.run("feeds", "poll").stdout
    assert [path for path, _, _ in publisher.asked] == ["/a", "/robots.txt", "/a"]
    held = reading.json("briefings", "overlap", "harbour")["sources"]
    assert held[0]["words"] > 200
    assert not held[0]["teaser"]
