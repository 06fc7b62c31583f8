"""Themes by command: what there is, what it is made of, and one of the publication's own."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter import audit, db
from newsletter.settings import Settings
from tests.support.commands import Desk

SHIPPED = Path(__file__).parents[2] / "templates"


@pytest.fixture
def desk(settings: Settings) -> Desk:
    """Return a desk without anything on it."""
    return Desk(settings.folder)


def test_the_shipped_themes_are_listed_with_what_they_are_for(desk: Desk) -> None:
    found = {each["theme"]: each for each in desk.json("themes", "list")}
    assert list(found) == ["briefing", "digest", "letter"]
    assert [name for name, each in found.items() if each["used"]] == ["briefing"]
    assert all(each["origin"] == "program" and each["description"] for each in found.values())
    assert found["letter"]["path"] == str(SHIPPED / "letter" / "issue.mjml.j2")
    assert "Headlines and one line each" in desk.run("themes", "list").stdout


def test_a_theme_tells_its_settings_and_which_files_the_publication_has_over_it(desk: Desk) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text() + '\n[theme]\naccent = "#063"\nwidth = 600\n')
    own = desk.folder / "templates" / "shared" / "footer.mjml.j2"
    own.parent.mkdir(parents=True)
    own.write_text("<mj-section></mj-section>")
    told = desk.json("themes", "show", "digest")
    values = {each["key"]: (each["value"], each["origin"]) for each in told["settings"]}
    assert values["width"] == (600, "newsletter.toml")
    assert values["ink"] == ("#1c2733", "theme.toml")
    assert values["dark.accent"][1] == "newsletter.toml"  # brought to where it can be read
    files = {each["file"]: each for each in told["files"]}
    assert (files["footer.mjml.j2"]["own"], files["footer.mjml.j2"]["path"]) == (True, str(own))
    assert files["footer.mjml.j2"]["over"] == str(SHIPPED / "shared" / "footer.mjml.j2")
    assert files["item.mjml.j2"]["path"] == str(SHIPPED / "digest" / "item.mjml.j2")
    shown = desk.run("themes", "show", "digest").stdout
    assert [line.split()[:3] for line in shown.splitlines() if line.startswith("footer.mjml.j2")] == [
        ["footer.mjml.j2", "shared", "overridden"]
    ]


def test_a_new_theme_is_a_copy_to_edit_and_is_on_record(desk: Desk, engine: Engine) -> None:
    made = desk.json("themes", "new", "gazette", "--from", "letter")
    folder = desk.folder / "templates" / "gazette"
    assert sorted(made["files"]) == sorted(str(each) for each in folder.iterdir())
    assert (folder / "item.mjml.j2").read_text() == (SHIPPED / "letter" / "item.mjml.j2").read_text()
    assert not (folder / "reader.mjml.j2").exists()
    found = {each["theme"]: each["origin"] for each in desk.json("themes", "list")}
    assert found["gazette"] == "publication"
    with db.reading(engine) as session:
        assert [entry.action for entry in audit.entries(session, "theme", "gazette")] == ["created"]


def test_a_whole_copy_has_the_shared_parts_too(desk: Desk) -> None:
    desk.run("themes", "new", "gazette", "--whole")
    folder = desk.folder / "templates" / "gazette"
    assert (folder / "reader.mjml.j2").read_text() == (SHIPPED / "shared" / "reader.mjml.j2").read_text()
    assert (folder / "words" / "de.toml").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "gazette"), 3, "there are briefing, digest, letter"),
        (("new", "mine", "--from", "gazette"), 3, "no theme gazette"),
        (("new", "web"), 2, "no name for a theme"),
        (("new", "../up"), 2, "no name for a theme"),
        (("new", "letter"), 1, "a theme letter already"),
    ],
)
def test_what_cannot_be_is_refused(desk: Desk, words: tuple[str, ...], code: int, said: str) -> None:
    assert said in desk.refuses("themes", *words, code=code)
    assert not (desk.folder / "templates" / "mine").exists()


@pytest.mark.parametrize("theme", ["briefing", "digest", "letter"])
def test_an_empty_issue_is_refused_in_every_theme(desk: Desk, theme: str) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text().replace("postal_address", f'theme = "{theme}"\npostal_address', 1))
    assert "nothing to compose" in desk.refuses("compose", "--from-approved")


def test_a_colour_that_cannot_be_read_is_refused_whatever_the_command(desk: Desk) -> None:
    toml = desk.folder / "newsletter.toml"
    toml.write_text(toml.read_text() + '\n[theme]\naccent = "#ffcc00"\n')
    said = desk.refuses("lists", "list")
    assert f"{toml}: theme.accent #ffcc00 has a contrast of 1.50" in said
    assert "the nearest colour that would do is #" in said
