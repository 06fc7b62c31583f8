"""The look of a publication: its colours can be read by day and by night, or the file is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import colours, looks
from newsletter.errors import SettingsError
from newsletter.settings import Settings, load

PUBLICATION = '[publication]\nname = "Harbour Brief"\ntheme = "{theme}"\n'
SHADES = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def settle(folder: Path, said: str, theme: str = "briefing", **environ: str) -> Settings:
    """Return the settings of a publication that says this of its theme."""
    (folder / "newsletter.toml").write_text(PUBLICATION.format(theme=theme) + said, "utf-8")
    return load(folder, environ)


def test_contrast_is_that_of_the_standard() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known near miss
    assert colours.contrast("#123456", "#123456") == 1


@given(SHADES, st.lists(st.tuples(SHADES, st.sampled_from([3.0, 4.5])), max_size=3))
def test_the_nearest_colour_stands_out_from_every_partner(colour: str, partners: list[tuple[str, float]]) -> None:
    found = colours.nearest(colour, partners)
    assert all(colours.contrast(found, partner) >= least for partner, least in partners) if found else partners


@pytest.mark.parametrize("theme", ["briefing", "digest", "letter", "a-theme-that-is-not-there"])
def test_every_theme_has_a_whole_look_that_can_be_read(tmp_path: Path, theme: str) -> None:
    look = settle(tmp_path, "", theme).look()
    for palette in (look.light, look.dark):
        for ink, least in looks.INKS.items():
            for ground in looks.GROUNDS:
                assert colours.contrast(getattr(palette, ink), getattr(palette, ground)) >= least
    assert colours.contrast(look.light.paper, "#ffffff") < 1.5 < colours.contrast(look.dark.paper, "#ffffff")


def test_what_is_set_stands_over_the_theme_and_the_rest_is_the_themes(tmp_path: Path) -> None:
    said = '[theme]\naccent = "#0A5483"\nwidth = 560\nfont = "Charter, serif"\n[theme.dark]\npaper = "#101010"\n'
    look = settle(tmp_path, said).look()
    assert (look.light.accent, look.width, look.font) == ("#0a5483", 560, "Charter, serif")
    assert (look.dark.paper, look.light.paper) == ("#101010", "#fffefb")


def test_an_accent_for_the_day_is_made_readable_by_night(tmp_path: Path) -> None:
    look = settle(tmp_path, '[theme]\naccent = "#063"\n').look()
    assert look.light.accent == "#006633"
    assert look.dark.accent not in ("#006633", "#efa28f")
    assert min(colours.contrast(look.dark.accent, getattr(look.dark, ground)) for ground in looks.GROUNDS) >= 4.5


def test_the_environment_reaches_every_setting_of_the_theme(tmp_path: Path) -> None:
    environ = {"NEWSLETTER_THEME_DARK_ACCENT": "#ffd0c0", "NEWSLETTER_THEME_LOGO_ALT": "The Harbour"}
    said = '[theme.logo]\nurl = "https://a.example/logo.png"\nalt = "x"\nwidth = 200\nheight = 40\n'
    settings = settle(tmp_path, said, **environ)
    assert settings.look().dark.accent == "#ffd0c0"
    assert settings.theme.logo is not None
    assert settings.theme.logo.alt == "The Harbour"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('[theme]\naccent = "#ffcc00"\n', r"theme\.accent #ffcc00 has a contrast of 1\.\d\d with theme\.paper #fffefb"),
        ('[theme.dark]\nquiet = "#444444"\n', r"theme\.dark\.quiet #444444 .* readers need 4\.5; the nearest colour"),
        ('[theme]\npaper = "#808080"\n', r"theme\.paper #808080 .* with theme\.ink"),
        ('[theme]\nheadline = "#cccccc"\n', r"theme\.headline .* readers need 3\.0"),
        ('[theme]\naccent = "red"\n', r"theme\.accent: 'red' must be a colour such as #7a2618"),
        ('[theme]\nacent = "#000000"\n', r"theme\.acent is no setting; did you mean accent\?"),
        ('[theme.dark]\nlogo = "x"\n', r"theme\.dark\.logo is no setting"),
        ('[theme]\nfont = "Comic; Sans"\n', r"theme\.font: .* must be names of fonts"),
        ('[theme]\nfont = "Charter"\n', r"theme\.font: .* the last one serif"),
        ("[theme]\nwidth = 1200\n", r"theme\.width: .*less than or equal to 720"),
        ('[theme.logo]\nurl = "https://a.example/l.png"\nwidth = 9\nheight = 9\n', r"theme\.logo\.alt is missing"),
        ('[theme.logo]\nurl = "https://a.example/l.png"\nalt = "A"\nwidth = 90\n', r"theme\.logo\.height is missing"),
        ('[theme.logo]\nurl = "http://a.example/l.png"\nalt = "A"\nwidth = 90\nheight = 40\n', r"an https address"),
    ],
)
def test_what_cannot_be_read_or_is_no_setting_is_refused_with_its_key(tmp_path: Path, said: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        settle(tmp_path, said)


def test_the_nearest_colour_that_is_named_does(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="would do is #") as caught:
        settle(tmp_path, '[theme]\naccent = "#ffcc00"\n')
    named = str(caught.value).rpartition(" ")[2]
    assert settle(tmp_path, f'[theme]\naccent = "{named}"\n').look().light.accent == named


def test_a_theme_of_the_publications_own_has_a_look_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "gazette" / "theme.toml"
    own.parent.mkdir(parents=True)
    own.write_text('description = "Ours"\naccent = "#004488"\n[dark]\npaper = "#101418"\n')
    look = settle(tmp_path, "", "gazette").look()
    assert (look.description, look.light.accent, look.dark.paper) == ("Ours", "#004488", "#101418")
    own.write_text('accent = "blue"\n')
    with pytest.raises(SettingsError, match=r"gazette/theme\.toml .*accent"):
        settle(tmp_path, "", "gazette")
