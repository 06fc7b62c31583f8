"""The fixed words of mail in the publication's language, or in English that says that it is."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from markupsafe import Markup

from newsletter.errors import TemplateError
from newsletter.issues.content import IssueContent
from newsletter.rendering import press, words
from newsletter.settings import Settings
from tests.rendering import samples

SHIPPED = Path(__file__).parents[2] / "templates"


def speak(desk: Settings, language: str) -> Settings:
    """Return the settings of a publication in another language."""
    return samples.retell(desk, "postal_address", f'language = "{language}"\npostal_address')


@pytest.mark.parametrize("language", ["en", "en-GB", "de", "de-AT", "fr"])
def test_a_catalogue_has_every_word(language: str) -> None:
    said = words.of(language, [SHIPPED])
    assert said.own
    assert said.tongue == ""
    assert (len(said.weekdays), len(said.months), len(said.labels)) == (7, 12, 4)


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "Monday, 2 November 2026"), ("de", "Montag, 2. November 2026"), ("fr", "lundi 2 novembre 2026")],
)
def test_a_day_is_written_as_the_language_has_it(language: str, day: str) -> None:
    assert words.of(language, [SHIPPED]).day(date(2026, 11, 2)) == day


@pytest.mark.parametrize("path", sorted((SHIPPED / "shared" / "words").iterdir()), ids=lambda path: path.stem)
def test_a_catalogue_fills_the_same_names_as_the_english_one(path: Path) -> None:
    def holes(said: dict[str, Any]) -> dict[str, set[str]]:
        return {key: set(words.HOLE.findall(str(value))) for key, value in said.items()}

    english = tomllib.loads((SHIPPED / "shared" / "words" / "en.toml").read_text("utf-8"))
    assert holes(tomllib.loads(path.read_text("utf-8"))) == holes(english)


def test_a_german_issue_speaks_german_in_both_parts(desk: Settings, content: IssueContent) -> None:
    made = press.render(content, speak(desk, "de"), samples.LINKS, dated=samples.DATED)
    for said in ("Im Browser lesen", "Warum es zählt", "Quellen dieser Ausgabe", "Abmelden"):
        assert said.upper() in made.html.upper()
        assert said.upper() in made.text.upper()
    note = next(each for each in lxml.html.fromstring(made.html).iter("p") if "Source assisted" in (each.text or ""))
    assert (note.get("lang"), note.get("dir")) == ("en", "ltr")


def test_in_a_language_without_a_catalogue_the_english_words_say_so(desk: Settings, content: IssueContent) -> None:
    tree = lxml.html.fromstring(press.render(content, speak(desk, "ar"), samples.LINKS).html)
    english = [each for each in tree.iter() if "Key points" in (each.text or "") or "Unsubscribe" in (each.text or "")]
    for each in english:
        assert "en" in [up.get("lang") for up in (each, *each.iterancestors()) if up.get("lang")][:1]
    assert len(english) == 4


def test_values_in_a_sentence_bring_no_markup() -> None:
    assert words.fill("Issue {number} of {name}", number=3, name="<b>") == "Issue 3 of <b>"
    assert words.fill("{a} & {b}", a=Markup("<i>x</i>"), b="<b>") == Markup("<i>x</i> &amp; &lt;b&gt;")


def test_a_publication_brings_a_catalogue_of_its_own(desk: Settings, content: IssueContent) -> None:
    own = desk.templates / "shared" / "words" / "nl.toml"
    own.parent.mkdir(parents=True)
    english = (SHIPPED / "shared" / "words" / "en.toml").read_text("utf-8")
    own.write_text(english.replace('"Key points"', '"Kernpunten"'))
    desk = speak(desk, "nl")
    assert "Kernpunten" in press.render(content, desk, samples.LINKS).html
    own.write_text(english.replace("key_points", "keypoints"))
    with pytest.raises(TemplateError, match=r"nl\.toml: key_points, keypoints"):
        press.render(content, desk, samples.LINKS)
