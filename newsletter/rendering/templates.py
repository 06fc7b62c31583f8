"""The templates: found file by file, rendered in a sandbox, and named with their line when they fail."""

import re
import traceback
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jinja2
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from newsletter.errors import TemplateError
from newsletter.rendering import markdown
from newsletter.settings import Settings

_PACKAGE = Path(__file__).parents[1]
_THEME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Theme:
    """A theme by name, with the sandbox that its files run in and the one that marks what each line writes."""

    name: str
    sandbox: jinja2.Environment
    traced: jinja2.Environment

    def render(self, file: str, values: Mapping[str, object]) -> str:
        """Return the theme's file filled with the values, or raise TemplateError with file and line."""
        return self._render(self.sandbox, file, values)

    def trace(self, file: str, values: Mapping[str, object]) -> list[tuple[str, str]]:
        """Return the same text in pieces, each with the `file:line` of the template that wrote it."""
        start, *marked = _MARK.split(self._render(self.traced, file, values))
        places, pieces = marked[::2], marked[1::2]
        return [*([("", start)] if start else []), *zip(places, pieces, strict=True)]

    def source(self, file: str) -> tuple[str, str]:
        """Return a file of the theme as it stands, and its path."""
        loader = self.sandbox.loader
        assert loader is not None
        try:
            text, path, _ = loader.get_source(self.sandbox, f"{self.name}/{file}")
        except jinja2.TemplateNotFound as error:
            raise self._absent(str(error.name or file)) from error
        return text, str(path)

    def _render(self, jinja: jinja2.Environment, file: str, values: Mapping[str, object]) -> str:
        try:
            return jinja.get_template(f"{self.name}/{file}").render(values)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{error.filename}:{error.lineno}: {error.message}; mend the template") from error
        except jinja2.TemplateNotFound as error:
            raise self._absent(str(error.name or file)) from error
        except Exception as error:  # a template may call any method of a value and fail in any way
            raise TemplateError(f"{_line(error)}: {error}; mend the template") from error

    def _absent(self, file: str) -> TemplateError:
        assert isinstance(self.sandbox.loader, jinja2.FileSystemLoader)
        folders = self.sandbox.loader.searchpath
        there = sorted({path.parent.name for folder in folders for path in Path(folder).glob("*/issue.mjml.j2")})
        return TemplateError(
            f"there is no template {file} in {', '.join(folders)}; add it there, or set theme in [publication] to one "
            f"that is: {', '.join(there) or 'none is'}"
        )


def theme(settings: Settings) -> Theme:
    """Return the publication's theme."""
    name = settings.publication.theme
    if not _THEME.fullmatch(name):
        raise TemplateError(f"theme {name!r} in [publication] is no folder's name; write letters, digits, - or _")
    return Theme(name, environment(settings), environment(settings, traced=True))


def environment(settings: Settings, *, traced: bool = False) -> jinja2.Environment:
    """Return the sandbox that templates run in; the publication's own files stand before those of the program."""
    folders = (settings.path("templates"), _PACKAGE / "templates", _PACKAGE.parent / "templates")
    return _environment(tuple(str(folder) for folder in folders if folder.is_dir()), traced)


@lru_cache(maxsize=16)
def _environment(folders: tuple[str, ...], traced: bool) -> jinja2.Environment:
    sandbox = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
        extensions=[_Traced] if traced else [],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    sandbox.filters |= {
        "attr": attribute, "markdown": markdown.html, "inline": markdown.inline,
        "plain": markdown.text, "wrap": markdown.wrap,
    }  # fmt: skip
    return sandbox


def attribute(value: object) -> Markup:
    r"""Return the value for an MJML attribute; mrml writes `\`, tab and line breaks in attributes as Rust escapes."""
    return Markup(re.sub(r"[\\\t\r\n]", lambda mark: f"&#{ord(mark[0])};", str(escape(value))))


def locate(pieces: list[tuple[str, str]], prepare: Callable[[str], str]) -> Callable[[int], str]:
    """Return a function from a place in the joined, prepared pieces to the `file:line` that wrote it."""
    starts, end = [], 0
    for _, text in pieces:
        starts.append(end)
        end += len(prepare(text))
    return lambda offset: pieces[max(bisect_right(starts, offset) - 1, 0)][0]


class _Traced(Extension):
    """Writes the file and line before each line of a template's own text."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return "".join(self._marked(source, filename or name or "template"))

    def _marked(self, source: str, file: str) -> Iterator[str]:
        for line, kind, text in self.environment.lex(source):
            if kind == "data":
                for number, part in enumerate(text.splitlines(keepends=True), start=line):
                    yield f"\x02{file}:{number}\x03{part}"
            else:
                # What an expression writes belongs to its own line, which may not be that of the text before it.
                yield f"\x02{file}:{line}\x03{text}" if kind == "variable_begin" else text


_MARK = re.compile("\x02([^\x02\x03]*:\\d+)\x03")


def _line(error: Exception) -> str:
    """Return the innermost template line that the error came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "a template"
