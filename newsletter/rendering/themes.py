"""The themes there are: the program's and the publication's own, and how one becomes the start of another."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from newsletter import looks
from newsletter.errors import NotFound, Refused, UsageError
from newsletter.looks import Look
from newsletter.rendering.templates import ISSUE, SHARED, THEME
from newsletter.settings import Settings

#: Folders of templates that are no themes.
_TAKEN = {SHARED, "web"}


@dataclass(frozen=True, kw_only=True)
class ThemeView:
    """A theme by name; `path` is the file that makes it one."""

    theme: str
    description: str
    #: `program`, `publication`, or `both`: the program's with files of the publication over it
    origin: str
    path: Path
    #: whether the publication's issues are set in it
    used: bool


@dataclass(frozen=True, kw_only=True)
class ThemeFile:
    """A file that a theme is made of; `over` is the program's own that it stands in for, if any."""

    file: str
    path: Path
    own: bool
    shared: bool
    over: Path | None


@dataclass(frozen=True, kw_only=True)
class ThemeSetting:
    """A setting of the look, as it is, and where it is from: `theme.toml`, or `newsletter.toml`."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, kw_only=True)
class ThemeDetail:
    """A theme with its settings and its files, those that all themes share last."""

    theme: ThemeView
    settings: tuple[ThemeSetting, ...]
    files: tuple[ThemeFile, ...]


def every(settings: Settings) -> list[ThemeView]:
    """Return every theme by name, the program's and the publication's own."""
    return [view(settings, name) for name in _names(settings)]


def view(settings: Settings, name: str) -> ThemeView:
    """Return one theme, or say which there are."""
    found = [folder / name for folder in looks.folders(settings.templates) if (folder / name).is_dir()]
    made = next((folder / ISSUE for folder in found if (folder / ISSUE).is_file()), None)
    if not THEME.fullmatch(name) or made is None:
        raise NotFound(f"there is no theme {name}; there are {', '.join(_names(settings))}")
    own = settings.templates / name in found
    return ThemeView(
        theme=name,
        description=settings.look(name).description,
        origin="program" if not own else "publication" if len(found) == 1 else "both",
        path=made,
        used=name == settings.publication.theme,
    )


def show(settings: Settings, name: str) -> ThemeDetail:
    """Return a theme with its settings and files, or say which themes there are."""
    return ThemeDetail(
        theme=view(settings, name),
        settings=tuple(_settings(settings, settings.look(name))),
        files=tuple(sorted(_files(settings, name), key=lambda each: (each.shared, each.file))),
    )


def new(settings: Settings, name: str, *, source: str, whole: bool = False) -> list[Path]:
    """Copy a theme into the publication's templates under a name of its own, and return the files.

    The parts that themes share stay shared, but for a `whole` copy.
    """
    if not THEME.fullmatch(name) or name in _TAKEN:
        raise UsageError(f"{name!r} is no name for a theme; write letters, digits, - or _, other than shared and web")
    view(settings, source)
    target = settings.templates / name
    if name in _names(settings) or target.exists():
        raise Refused(
            f"there is a theme {name} already; choose another name, or edit it: newsletter themes show {name}"
        )
    wanted = {each.file: each.path for each in _files(settings, source) if whole or not each.shared}
    draft = target.with_name(f".{name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        for file, path in wanted.items():
            (draft / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, draft / file)
        draft.rename(target)  # whole or not at all
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise Refused(f"{target} cannot be written: {error.strerror}; mend its rights and run again") from error
    return sorted(target / file for file in wanted)


def _names(settings: Settings) -> list[str]:
    return sorted({
        path.parent.name for folder in looks.folders(settings.templates) for path in folder.glob(f"*/{ISSUE}")
    } - _TAKEN)  # fmt: skip


def _files(settings: Settings, name: str) -> Iterator[ThemeFile]:
    """Yield the files that a theme is set with, as they are found: its own before the shared ones."""
    seen: set[str] = set()
    for part in (name, SHARED):
        for folder in looks.folders(settings.templates):
            for path in sorted(each for each in (folder / part).rglob("*") if each.is_file()):
                file = path.relative_to(folder / part).as_posix()
                if file not in seen and not path.name.startswith("."):
                    seen.add(file)
                    own = folder == settings.templates
                    over = _beneath(settings, file, name) if own else None
                    yield ThemeFile(file=file, path=path, own=own, shared=part == SHARED, over=over)


def _beneath(settings: Settings, file: str, name: str) -> Path | None:
    """Return the program's file that one of the publication's stands in for."""
    folders = [folder for folder in looks.folders(settings.templates) if folder != settings.templates]
    paths = (folder / part / file for part in (name, SHARED) for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _settings(settings: Settings, look: Look) -> Iterator[ThemeSetting]:
    given = settings.theme.model_dump(exclude_none=True)
    plain: dict[str, Any] = {
        **asdict(look.light),
        "font": look.font,
        "label_font": look.label_font,
        "width": look.width,
    }
    for key, value in plain.items():
        yield _setting(key, value, key in given)
    for key, value in asdict(look.dark).items():
        derived = key == "accent" and "accent" in given and key not in given["dark"]
        yield _setting(f"dark.{key}", value, key in given["dark"] or derived)
    for key, value in (look.logo.model_dump() if look.logo else {}).items():
        yield _setting(f"logo.{key}", value, "logo" in given)


def _setting(key: str, value: object, given: bool) -> ThemeSetting:
    return ThemeSetting(key=key, value=value, origin="newsletter.toml" if given else looks.FILE)
