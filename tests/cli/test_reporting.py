"""Reports of issues, by command."""

from pathlib import Path

import pytest

from tests.cli.test_delivering import says
from tests.cli.test_refusals import Refuse, names, refuse
from tests.cli.test_sending import frozen, maildir
from tests.support import browser, looks
from tests.support.commands import Desk

__all__ = ["frozen", "maildir", "refuse"]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # tests/feedback asks both


def test_an_issue_is_reported_and_set_beside_others(
    frozen: Desk, maildir: Path, tmp_path: Path, refuse: Refuse
) -> None:
    names(refuse("issues", "report", "1"), "nothing to report", "newsletter send 1")
    assert frozen.json("issues", "compare") == []
    says(frozen.run("issues", "compare").stdout, "No issue has gone out yet")
    says(frozen.run("lists", "edit", "weekly", "--track-clicks").stdout, "Clicks are counted")
    assert frozen.json("lists", "show", "weekly")["track_clicks"] is True
    frozen.run("send", "1", "--list", "weekly", "--yes")
    mail = next(iter((maildir / "new").iterdir())).read_text().replace("=\n", "")
    assert "https://news.harbour.example/c/" in mail
    told = frozen.json("issues", "report", "1")
    assert (told["audience"], told["sent"], told["clicks_counted_for"], told["clicked"]["of"]) == (2, 2, 2, 2)
    assert told["links"]
    says(frozen.run("issues", "report", "1").stdout, "Followed a link: 0 of 2 whose clicks are counted", "example.com")
    says(frozen.run("issues", "report", "1").stdout, "Bounced later: 0 of 2 sent")
    (row,) = frozen.json("issues", "compare", "--last", "3")
    assert (row["issue"], row["sent"], row["clicked"]["of"], row["unsubscribed"]["count"]) == (1, 2, 2, 0)
    says(frozen.run("issues", "compare").stdout, "2 of 2", "0 of 2")
    page = tmp_path / "report.html"
    says(frozen.run("issues", "report", "1", "--html", str(page)).stdout, "report.html")
    assert "<svg" in page.read_text("utf-8")
    with browser.launch() as chromium, browser.page(chromium, width=390, scheme="light") as tab:
        tab.goto(page.as_uri())
        assert looks.faults(tab) == []
    assert frozen.run("issues", "report", "1", "--html", "-").stdout.startswith("<!doctype html>")
    names(refuse("issues", "report", "1", "--html", str(tmp_path)), "cannot be written", "name another file")
    names(refuse("issues", "report", "1", "--html", "-", "--json", code=2), "choose one")
    frozen.run("lists", "edit", "weekly", "--no-track-clicks")
    says(frozen.run("issues", "report", "1").stdout, "Clicks are not counted", "--track-clicks")
