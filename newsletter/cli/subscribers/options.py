"""Options that several commands about subscribers share."""

from typing import Annotated

import typer

Lists = Annotated[list[str], typer.Option("--list", metavar="LIST", help="On which list; may be given again.")]
