"""What comes first in an issue, how long it is and how large, by the commands."""

from pathlib import Path

import pytest

from newsletter import db
from newsletter.cli import sizing
from newsletter.cli.sizing import Extent
from newsletter.issues import issues
from newsletter.rendering.measuring import Measure
from newsletter.settings import load
from tests.support.commands import Desk
from tests.support.stores import Keeper
from tests.support.texts import briefing


@pytest.fixture
def waiting(desk: Desk, tmp_path: Path, once: Keeper) -> Desk:
    """Return the desk with cranes, ferries and tugs approved, the last one newest."""
    once("waiting", lambda: _approve_more(desk, tmp_path))
    return desk


def _approve_more(desk: Desk, tmp_path: Path) -> None:
    for name in ("ferries", "tugs"):
        path = tmp_path / f"{name}.md"
        path.write_text(briefing(name, title=name.capitalize()), "utf-8")
        desk.run("briefings", "import", str(path), "--as", "mara")
        desk.run("briefings", "submit", name, "--as", "mara")
        desk.run("briefings", "approve", name, "--as", "jonas")


def test_the_lead_and_the_scores_are_given_by_hand_and_told(waiting: Desk) -> None:
    assert waiting.json("briefings", "rank", "cranes", "--score", "80", "--as", "mara") == {
        "briefing": "cranes", "score": 80, "place": None,
    }  # fmt: skip
    assert waiting.run("briefings", "rank", "ferries", "--lead", "--as", "mara").stdout == "ferries: the lead\n"
    listed = {each["briefing"]: (each["score"], each["place"]) for each in waiting.json("briefings", "list")}
    assert listed == {"cranes": (80, None), "ferries": (None, 1), "grid": (None, None), "tugs": (None, None)}
    composed = waiting.json("compose", "--as", "mara")
    assert (composed["items"], composed["subject"]) == (["ferries", "cranes", "tugs"], "Ferries")
    assert "say where it comes" in waiting.refuses("briefings", "rank", "cranes", code=2)
    assert "say where it comes" in waiting.refuses("briefings", "rank", "cranes", "--lead", "--clear", code=2)
    assert "--lead is place 1" in waiting.refuses("briefings", "rank", "cranes", "--lead", "--place", "2", code=2)


def test_compose_tells_minutes_and_bytes_and_leaves_out_what_is_too_large(
    waiting: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    one = waiting.json("compose", "--pick", "cranes")
    assert one["minutes"] == pytest.approx(1.9, abs=0.3)
    assert one["fits"] == 1
    waiting.run("issues", "cancel", "1")
    two = waiting.json("compose", "--pick", "cranes", "ferries")
    waiting.run("issues", "cancel", "2")
    assert two["bytes"] > one["bytes"] + 2_000
    room = two["bytes"] // 1000 + 1
    cut = waiting.json("compose", "--max-kb", str(room))
    assert cut["items"] == ["tugs", "ferries"]
    assert cut["left_out"] == {"cranes": f"the issue would have more than {room} KB (--max-kb)"}
    assert abs(cut["bytes"] - two["bytes"]) < 500
    waiting.run("issues", "cancel", "3")
    assert waiting.json("compose", "--max-kb", "1")["items"] == ["tugs"]
    with db.reading(db.connect(load(waiting.folder, {}))) as session:
        view = issues.get(session, 2)
    for fits in (1, 0):
        sizing.tell(view, Extent(minutes=1.8, measure=Measure(bytes=120_000, fits=fits, limit=102_000)))
    told = capsys.readouterr()
    assert told.out == "It takes 1.8 minutes to read, and has 120 KB of HTML\n" * 2
    fit = "102 KB of HTML, and the first 1 of 2 items fit; leave the others out: newsletter issues edit 2 --drop 2\n"
    assert fit in told.err
    assert "not even the first item fits" in told.err


def test_an_issue_is_composed_where_its_size_cannot_be_known_yet(waiting: Desk) -> None:
    toml = waiting.folder / "newsletter.toml"
    toml.write_text("".join(line for line in toml.open() if not line.startswith("public_url")))
    said = waiting.run("compose")
    assert "minutes to read\n" in said.stdout
    assert "note: its size is not known yet: an issue's links needs public_url" in said.stderr
