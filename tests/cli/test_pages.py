"""A published page comes in and goes out by command, byte for byte."""

from pathlib import Path

from tests.support.commands import Desk

PAGE = Path(__file__).parents[1] / "editorial" / "pages" / "harbour.txt"


def test_a_page_is_a_draft_that_lacks_a_title_and_goes_out_as_it_came(desk: Desk) -> None:
    reports = PAGE.read_text("utf-8").partition("How Harbour Brief reports: ")[2].partition(" Read the standards")[0]
    environ = {"NEWSLETTER_PUBLICATION_REPORTS": reports}
    here = Desk(desk.folder, environ)
    (taken,) = here.json("briefings", "import", str(PAGE), "--id", "harbour-page", "--as", "mara")
    assert (taken["briefing"], taken["state"]) == ("harbour-page", "draft")
    assert here.run("briefings", "show", "harbour-page", "--page").stdout.encode() == PAGE.read_bytes()
    blocked = here.json("briefings", "check", "harbour-page", code=1)
    assert {"A1", "T1"} <= {finding["rule"] for finding in blocked["findings"]}
    assert "cannot be submitted" in here.refuses("briefings", "submit", "harbour-page", "--as", "mara")


def test_a_page_of_another_desk_says_so_when_it_comes_in(desk: Desk) -> None:
    assert "newsletter.toml says" in desk.run("briefings", "import", str(PAGE), "--id", "harbour-page").stderr
