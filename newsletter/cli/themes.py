"""`newsletter themes`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.editorial.models import Role
from newsletter.rendering import themes
from newsletter.rendering.themes import ThemeDetail
from newsletter.words import counted

app = shape.noun("themes")

Name = Annotated[str, typer.Argument(metavar="THEME", help="The theme's name: its folder among the templates.")]


@app.command("list")
def list_(ctx: typer.Context, as_json: desk.Json = False) -> None:
    """List the themes: the program's, and the publication's own."""
    found = themes.every(desk.of(ctx).settings)
    if as_json:
        output.emit(found)
        return
    rows = [("yes" if each.used else "", each.theme, each.origin, each.description, each.path) for each in found]
    output.table(("used", "theme", "of", "what for", "from"), rows, empty="No themes; install the program again")


@app.command()
def show(ctx: typer.Context, name: Name, as_json: desk.Json = False) -> None:
    """Show a theme: its settings, its files, and which of them the publication has made its own."""
    found = themes.show(desk.of(ctx).settings, name)
    if as_json:
        output.emit(found)
    else:
        _show(found)


@app.command()
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the new theme is called.")],
    source: Annotated[str, typer.Option("--from", metavar="THEME", help="The theme to begin with.")] = "briefing",
    whole: Annotated[bool, typer.Option("--whole", help="Copy the parts too that all themes share.")] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Copy a theme into the publication's templates, to be edited there."""
    here = desk.of(ctx)
    with here.acting(as_, Role.EDITOR) as act:
        files = themes.new(here.settings, name, source=source, whole=whole)
        act.record("created", "theme", name, source=source)
    if as_json:
        output.emit({"theme": name, "from": source, "files": files})
        return
    of = counted(len(files), "file")
    output.say(f"The theme {name} lies in {here.settings.templates / name}, {of}; edit it there")
    output.note(f'To set issues in it: theme = "{name}" in [publication] of newsletter.toml')


def _show(found: ThemeDetail) -> None:
    output.say(f"{found.theme.theme}: {found.theme.description}")
    settings = [(each.key, each.value, each.origin) for each in found.settings]
    output.table(("setting", "value", "from"), settings, empty="No settings")
    output.say("")
    files = [
        (each.file, "shared" if each.shared else "theme", "overridden" if each.over else "own" if each.own else "",
         each.path)
        for each in found.files
    ]  # fmt: skip
    output.table(("file", "of", "here", "from"), files, empty="No files")
