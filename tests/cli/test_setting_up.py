"""Setting a publication up: init, doctor, db, preview, listings."""

import gc
import json
import os
import stat
from pathlib import Path

import pytest

from newsletter import db
from newsletter.demo import sink
from tests.support.commands import Desk


def fill(folder: Path, port: int = 2525) -> Desk:
    Desk(folder.parent).run(
        "init", str(folder), "--name", 'The "Quay" \\ Brief', "--from", "Quay <desk@news.example.com>", "--public-url",
        "https://news.example.com", "--postal-address", "1 Quay Street", "--relay", f"127.0.0.1:{port}",
    )  # fmt: skip
    return Desk(folder)


def test_init_makes_a_whole_publication_and_does_not_touch_one(tmp_path: Path) -> None:
    desk = fill(tmp_path / "quay")
    assert stat.S_IMODE((desk.folder / "keys" / "links.key").stat().st_mode) == 0o600
    assert (desk.folder / "newsletter.db").exists()
    assert desk.run("lists", "list").stdout == "No lists yet; newsletter lists create NAME\n"
    key = (desk.folder / "keys" / "links.key").read_text()
    assert "is there already" in desk.refuses("init", str(desk.folder))
    assert (desk.folder / "keys" / "links.key").read_text() == key


def test_doctor_says_what_is_well_and_what_is_not(tmp_path: Path) -> None:
    with sink.listening(tmp_path / "Maildir") as port:
        desk = fill(tmp_path / "quay", port)
        found = {each["part"]: each["verdict"] for each in desk.json("doctor")}
    parts = ("settings", "link key", "dkim", "database", "clock", "relay")
    assert found == dict.fromkeys(parts, "ok")
    os.chmod(desk.folder / "keys" / "links.key", 0o644)
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace('postal_address = "1 Quay Street"', 'postal_address = ""'))
    ended = desk.run("doctor", code=1)
    assert "postal_address" in ended.stdout
    assert "chmod 600" in ended.stdout
    assert "to mend before a send: settings, link key, relay" in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("feeds", "list"), ("inbox",), ("inbox", "list"), ("briefings", "list"), ("people", "list"), ("issues", "list"),
        ("lists", "list"), ("segments", "list"), ("topics", "list"), ("subscribers", "list"), ("suppressions", "list"),
    ],
)  # fmt: skip
def test_every_listing_is_one_document_for_programs(desk: Desk, words: tuple[str, ...]) -> None:
    assert isinstance(desk.json(*words), list)
    desk.run(*words)


def test_an_issue_is_previewed_as_it_would_be_and_as_it_is(desk: Desk, tmp_path: Path) -> None:
    desk.run("compose", "--pick", "cranes", "--subject", "Cranes")
    before = desk.run("preview", "1", "--html", "-").stdout
    desk.run("issues", "freeze", "1")
    assert desk.run("preview", "1", "--html", "-").stdout == before
    desk.run("preview", "1", "--html", str(tmp_path / "issue.html"))
    assert (tmp_path / "issue.html").read_text("utf-8") == before
    text = desk.run("preview", "1", "--text").stdout
    assert text.startswith("Subject: Cranes\n")
    assert "[[" not in before + text
    assert "https://wire.example.org/cranes" in before
    assert "https://wire.example.org/cranes" in text


def test_a_suppression_by_command_keeps_a_reader_out_of_the_count(desk: Desk) -> None:
    desk.run("suppressions", "add", "ONE@example.com", "--reason", "complaint")
    assert [row["reason"] for row in desk.json("suppressions", "list")] == ["complaint"]
    desk.run("compose", "--pick", "cranes")
    desk.run("issues", "freeze", "1")
    assert "1 reader of weekly" in desk.refuses("send", "1", "--list", "weekly")
    desk.run("suppressions", "remove", "one@example.com")
    assert "2 readers of weekly" in desk.refuses("send", "1", "--list", "weekly")
    assert "suppressions list" in desk.refuses("suppressions", "remove", "one@example.com", code=3)


def test_an_import_tells_each_rejected_row(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email,name\nthree@example.com,Three\nnonsense,Four\n")
    words = ("subscribers", "import", str(tmp_path / "people.csv"), "--list", "weekly", "--consent-basis", "the fair")
    dry = desk.json(*words, "--dry-run")
    result = desk.json(*words, "--rejects", str(tmp_path / "rejects.csv"))
    assert (dry["added"], result["added"], [each["line"] for each in result["first_rejects"]]) == (1, 1, [3])
    assert "nonsense" in (tmp_path / "rejects.csv").read_text()
    assert [each["email"] for each in desk.json("subscribers", "list", "--list", "weekly")][-1] == "three@example.com"


def test_an_old_or_missing_database_is_told_how_to_be_mended(tmp_path: Path) -> None:
    desk = fill(tmp_path / "quay")
    (desk.folder / "newsletter.db").unlink()
    assert "newsletter db upgrade" in desk.refuses("lists", "list")
    assert json.loads(desk.run("db", "upgrade", "--json").stdout)["after"] == db.VERSIONS[-1]
    assert desk.json("db", "check")["differences"] == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed on Linux only")
def test_a_command_leaves_no_connection_open(desk: Desk) -> None:
    desk.run("lists", "list")
    gc.disable()  # what nobody refers to any more would be closed some time
    try:
        before = len(os.listdir("/proc/self/fd"))
        desk.run("lists", "list")
        desk.refuses("lists", "show", "nobody", code=3)
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        gc.enable()
