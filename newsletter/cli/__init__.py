"""The command line: a file for each noun, imported only when its noun is called.

`newsletter --help` imports none of them: it reads the table below.
"""

import gc
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

#: Every noun and verb with the line that `--help` shows, in the order of the road.
COMMANDS: dict[str, dict[str, str]] = {
    "Start": {
        "init": "Scaffold a publication: settings, folders, keys, database.",
        "demo": "Walk the whole road on sample data, in about a minute.",
        "doctor": "Say what is wrong with this set-up, and how to mend it.",
    },
    "Edit": {
        "feeds": "Follow feeds, poll them, and see how they do.",
        "inbox": "Sort the stories that wait for an editor.",
        "briefings": "Write, check, review, approve, correct.",
        "corrections": "Tell those who have a briefing what was wrong with it.",
        "people": "Keep the people of the desk.",
    },
    "Publish": {
        "compose": "Make an issue of approved briefings.",
        "issues": "List, show, freeze, cancel issues.",
        "themes": "See the themes, and make one of your own.",
        "preview": "See an issue as its readers will.",
        "check": "Hold an issue against the standards and the mail clients.",
        "send": "Send an issue to lists and segments.",
        "status": "Tell who has an issue, who has not, and why.",
        "pause": "Stop an issue that is on its way.",
        "resume": "Go on with an issue that was paused.",
        "schedule": "See which issues begin or recur by themselves, and when.",
        "deliver": "Compose and send what is due now, for cron.",
    },
    "Audience": {
        "lists": "Keep the lists.",
        "segments": "Keep named conditions over subscribers.",
        "topics": "Keep what subscribers can choose to read about.",
        "subscribers": "Add, import, show, change, export, erase subscribers.",
        "suppressions": "Keep the addresses that must not be mailed.",
    },
    "Keep": {
        "keys": "Change the key behind the links in mail.",
        "tokens": "Let programs in, and keep them out.",
        "webhooks": "Tell programs elsewhere of what happens here.",
        "dkim": "Make and show the keys that sign mail.",
        "relays": "List the relays, and try them.",
        "serve": "Answer the links in mail: unsubscribe, preferences, view online.",
        "db": "Upgrade and check the database.",
        "audit": "Verify the record of who did what.",
    },
}


class Nouns(Mapping[str, Any]):
    """The commands by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        if name not in list(self):
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return (name for section in COMMANDS.values() for name in section)

    def __len__(self) -> int:
        return len(list(iter(self)))


@cache
def _command(name: str) -> Any:
    command = get_command(import_module(f"newsletter.cli.{name}").app)
    command.name = name
    if not gc.isenabled():  # `main` put it off until all is loaded
        gc.freeze()
        gc.enable()
    return command


class Root(TyperGroup):
    """The group of all nouns, which prints our errors as one clear line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Nouns()  # type: ignore[assignment]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table, a block for each part of the road."""
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error of ours becomes its message on stderr and its exit code."""
        from newsletter.errors import NewsletterError
        from subscribers.errors import AudienceError

        try:
            return super().invoke(ctx)
        except (NewsletterError, AudienceError) as error:
            print(f"error: {error}", file=sys.stderr)
            raise typer.Exit(error.exit_code) from error


app = typer.Typer(
    cls=Root, add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _version(wanted: bool) -> None:
    if wanted:
        from newsletter import __version__

        print(f"newsletter {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    publication: Annotated[
        Path, typer.Option("--publication", "-C", metavar="DIR", envvar="NEWSLETTER_PUBLICATION",
                           help="The publication's folder, or any folder inside it.")
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:  # fmt: skip
    """A newsletter desk: from feeds to approved briefings to a digest that reaches everyone once."""
    ctx.obj = publication


def main() -> None:
    """Run the command line; what is not text in the terminal's encoding is refused before anything is tried."""
    for word in sys.argv[1:]:
        if not word.isprintable() and any("\ud800" <= mark <= "\udfff" for mark in word):
            print(f"error: {word!a} is not text in this terminal's encoding; type it as UTF-8", file=sys.stderr)
            sys.exit(2)
    gc.disable()  # what a command loads is no garbage, and looking through it takes an eighth of its start
    app()
