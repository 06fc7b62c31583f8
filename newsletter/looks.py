"""The look of a theme: its own `theme.toml`, under what the publication sets in `[theme]`; its texts can be read."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from newsletter import colours
from newsletter.errors import SettingsError
from newsletter.sections import Section

FILE = "theme.toml"
#: What stands on what: each ink must be read on each ground. `headline` is set in 24 px and more only.
INKS = {"ink": colours.TEXT, "quiet": colours.TEXT, "accent": colours.TEXT, "headline": colours.LARGE}
GROUNDS = ("paper", "panel", "page")
_PACKAGE = Path(__file__).parent


def _whole(value: object) -> object:
    """Return #abc as #aabbcc, in small letters; what is no text is left to be refused."""
    if not isinstance(value, str):
        return value
    value = value.strip().lower()
    return "#" + "".join(mark * 2 for mark in value[1:]) if len(value) == 4 else value


Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$"), BeforeValidator(_whole)]
#: Names of fonts that readers have, the last one generic; nothing is ever fetched for them.
Fonts = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9 ,'-]*\b(serif|sans-serif|monospace|system-ui)$", max_length=200)
]


class Colours(Section):
    """Colours of the day or of the night; what is not set is the theme's own."""

    #: links, labels, buttons, the rules that mark
    accent: Colour | None = None
    #: text
    ink: Colour | None = None
    #: large headings
    headline: Colour | None = None
    #: small print
    quiet: Colour | None = None
    #: what texts stand on
    paper: Colour | None = None
    #: what a marked part stands on
    panel: Colour | None = None
    #: what lies around the paper
    page: Colour | None = None
    #: rules that only divide
    line: Colour | None = None


class Logo(Section):
    """An image in place of the publication's name; `alt` is what readers without images get."""

    url: str = Field(pattern=r"^https://[^\s\"'<>\\]+$")
    alt: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    width: int = Field(ge=16, le=600)
    height: int = Field(ge=8, le=400)


class Theme(Colours):
    """What a publication may set of its theme: the colours of the day, and those of the night in `dark`."""

    dark: Colours = Colours()
    logo: Logo | None = None
    #: of the text
    font: Fonts | None = None
    #: of labels, buttons and small print
    label_font: Fonts | None = None
    #: of the paper, in pixels
    width: int | None = Field(default=None, ge=480, le=720)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Every colour of the day or of the night."""

    accent: str
    ink: str
    headline: str
    quiet: str
    paper: str
    panel: str
    page: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a theme looks for one publication."""

    description: str
    light: Palette
    dark: Palette
    font: str
    label_font: str
    width: int
    logo: Logo | None


def folders(own: Path) -> tuple[Path, ...]:
    """Return where templates lie: the publication's own folder before the program's."""
    return tuple(folder for folder in (own, _PACKAGE / "templates", _PACKAGE.parent / "templates") if folder.is_dir())


def look(name: str, given: Theme, own: Path, *, where: Path) -> Look:
    """Return the look of a theme under the publication's settings, or refuse a text that could not be read.

    `own` is the publication's folder of templates, `where` the file that holds the settings.
    """
    description, theme = _theme(name, own)
    made = Look(
        description=description,
        light=_palette(theme, given),
        dark=_palette(theme.dark, _by_night(theme, given)),
        font=given.font or theme.font or "serif",
        label_font=given.label_font or theme.label_font or "sans-serif",
        width=given.width or theme.width or 640,
        logo=given.logo or theme.logo,
    )
    for key, palette, said in (("theme", made.light, given), ("theme.dark", made.dark, given.dark)):
        for problem in _faint(key, palette, said):
            raise SettingsError(f"{where}: {problem}")
    return made


def _theme(name: str, own: Path) -> tuple[str, Theme]:
    """Return a theme's description and settings; what its `theme.toml` leaves out is that of `shared`."""
    tables: dict[str, Any] = {}
    for part in ("shared", name):
        for folder in reversed(folders(own)):
            tables = _laid(tables, _read(folder / part / FILE))
    description = str(tables.pop("description", ""))
    try:
        return description, Theme.model_validate(tables)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{name}/{FILE} in {own}: {key}: {first['msg']}; mend it there") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}; mend it and run again") from error


def _laid(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _laid(under.get(key, {}), value) if isinstance(value, dict) else value for key, value in over.items()
    }
    return {**under, **nested}


def _palette(theme: Colours, given: Colours) -> Palette:
    """Return the theme's colours under those that are given."""
    names = Palette.__dataclass_fields__
    return Palette(**{name: str(getattr(given, name) or getattr(theme, name) or "#000000") for name in names})


def _by_night(theme: Theme, given: Theme) -> Colours:
    """Return the colours of the night; an accent that was set for the day only is brought to where it can be read."""
    if given.dark.accent or not given.accent:
        return given.dark
    night = _palette(theme.dark, given.dark)
    grounds = [(getattr(night, ground), colours.TEXT) for ground in GROUNDS]
    return given.dark.model_copy(update={"accent": colours.nearest(given.accent, grounds) or night.accent})


def _faint(key: str, palette: Palette, given: Colours) -> Iterator[str]:
    """Yield what cannot be read, blamed on a colour that the publication set, with the nearest one that would do."""
    tones = asdict(palette)
    for ink, least in INKS.items():
        for ground in GROUNDS:
            ratio = colours.contrast(tones[ink], tones[ground])
            if ratio >= least:
                continue
            blamed, other = (ground, ink) if getattr(given, ground) and not getattr(given, ink) else (ink, ground)
            near = colours.nearest(tones[blamed], _partners(blamed, tones))
            yield (
                f"{key}.{blamed} {tones[blamed]} has a contrast of {ratio:.2f} with {key}.{other} {tones[other]}, and "
                f"readers need {least}; "
                + (f"the nearest colour that would do is {near}" if near else f"no tone of it would do; set {other}")
            )


def _partners(name: str, tones: Mapping[str, str]) -> list[tuple[str, float]]:
    """Return the colours that one must stand out from, each with the least contrast."""
    if name in INKS:
        return [(tones[ground], INKS[name]) for ground in GROUNDS]
    return [(tones[ink], least) for ink, least in INKS.items()]
