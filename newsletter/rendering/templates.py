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
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from newsletter import looks
from newsletter.errors import TemplateError
from newsletter.looks import Look
from newsletter.rendering import markdown, references, words, wrapping
from newsletter.rendering.words import Words
from newsletter.settings import Settings

#: Where the parts lie that themes have in common.
SHARED = "shared"
#: The file that makes a folder a theme.
ISSUE = "issue.mjml.j2"
#: What a theme may be called.
THEME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Theme:
    """A theme by name, with the sandbox that its files run in and the one that marks what each line writes.

    A file is looked for in the theme's folders and then in `shared`, each time in the publication's `templates/` first.
    """

    name: str
    look: Look
    words: Words
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

    def place(
        self, file: str, values: Mapping[str, object], prepare: Callable[[str], str] = str
    ) -> Callable[[int], str]:
        """Return a function from a place in the file's prepared text to the `file:line` that wrote it."""
        return lambda offset: locate(self.trace(file, values), prepare)(offset)

    def _render(self, jinja: jinja2.Environment, file: str, values: Mapping[str, object]) -> str:
        try:
            return jinja.get_template(file).render(
                {**values, "look": self.look, "words": self.words, "references": references.of(values)}
            )
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{error.filename}:{error.lineno}: {error.message}; mend the template") from error
        except jinja2.TemplateNotFound as error:
            raise self._absent(str(error.name or file)) from error
        except Exception as error:  # a template may call any method of a value and fail in any way
            raise TemplateError(f"{_line(error)}: {error}; mend the template") from error

    def _absent(self, file: str) -> TemplateError:
        assert isinstance(self.sandbox.loader, jinja2.FileSystemLoader)
        folders = [Path(folder) for folder in self.sandbox.loader.searchpath]
        there = sorted({path.parent.name for folder in folders for path in folder.glob(f"*/{ISSUE}")})
        return TemplateError(
            f"there is no template {self.name}/{file} in {', '.join(str(each) for each in folders)}; add it there, or "
            f"set theme in [publication] to one that is: {', '.join(there) or 'none is'}"
        )


def theme(settings: Settings, name: str = "") -> Theme:
    """Return the theme of that name, else the publication's."""
    name = name or settings.publication.theme
    if not THEME.fullmatch(name):
        raise TemplateError(f"theme {name!r} in [publication] is no folder's name; write letters, digits, - or _")
    folders = looks.folders(settings.templates)
    searched = tuple(str(each) for part in (name, SHARED, "") for folder in folders if (each := folder / part).is_dir())
    return Theme(
        name,
        settings.look(name),
        words.of(settings.publication.language, folders),
        _environment(searched, traced=False),
        _environment(searched, traced=True),
    )


def environment(settings: Settings) -> jinja2.Environment:
    """Return the sandbox that pages run in; the publication's own files stand before those of the program."""
    return _environment(tuple(str(folder) for folder in looks.folders(settings.templates)), traced=False)


@lru_cache(maxsize=32)
def _environment(folders: tuple[str, ...], *, traced: bool) -> jinja2.Environment:
    sandbox = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is None or not name.endswith((".txt.j2", ".css")),
        extensions=[_Traced] if traced else [],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    sandbox.filters |= {
        "attr": attribute, "markdown": markdown.html, "inline": markdown.inline, "start": start, "fill": words.fill,
        "plain": plain, "ref": ref, "wrap": wrapping.wrap, "columns": wrapping.columns,
        "sentence": markdown.sentence, "sentences": markdown.sentences,
    }  # fmt: skip
    return sandbox


def attribute(value: object) -> Markup:
    r"""Return the value for an MJML attribute; mrml writes `\`, tab and line breaks in attributes as Rust escapes."""
    return Markup(re.sub(r"[\\\t\r\n]", lambda mark: f"&#{ord(mark[0])};", str(escape(value))))


@jinja2.pass_context
def plain(context: Context, text: str, first: str = "", rest: str = "") -> str:
    """Return the Markdown as wrapped plain text, its links as numbers of the text's references."""
    return markdown.text(text, first, rest, context["references"].link)


@jinja2.pass_context
def ref(context: Context, url: str) -> str:
    """Return the number of an address among the text's references, in its brackets."""
    return str(context["references"].mark(url))


def start(direction: str) -> str:
    """Return the side at which a line of that direction begins."""
    return "right" if direction == "rtl" else "left"


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
