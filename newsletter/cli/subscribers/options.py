"""Options that several commands about subscribers share."""

from collections.abc import Iterable
from typing import Annotated

import typer

from newsletter.errors import UsageError

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's address.")]
Lists = Annotated[list[str], typer.Option("--list", metavar="LIST", help="On which list; may be given again.")]


def pairs(given: Iterable[str] | None) -> dict[str, str]:
    """Return NAME=VALUE options as a mapping."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--attribute {text} is no NAME=VALUE, such as plan=pro; NAME= forgets it")
        found[name.strip()] = value
    return found
