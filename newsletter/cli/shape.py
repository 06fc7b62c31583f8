"""The shape that all nouns and verbs share: plain help, no completion of their own."""

import typer

from newsletter.cli import COMMANDS


def noun(name: str) -> typer.Typer:
    """Return a group of commands about one noun, under the line that the table has for it."""
    line = next(section[name] for section in COMMANDS.values() if name in section)
    group = typer.Typer(help=line, add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    group.callback()(lambda: None)  # a group stays one while it has a single command
    return group


def verb() -> typer.Typer:
    """Return what holds a single command."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)
