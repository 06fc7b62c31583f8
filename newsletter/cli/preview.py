"""`newsletter preview`."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.errors import Refused, UsageError
from newsletter.rendering import preview as previews

app = shape.verb()


@app.command()
def preview(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write the HTML there; - prints it.")] = "",
    text: Annotated[bool, typer.Option("--text", help="Print the plain text (the default).")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Show the HTML in the browser.")] = False,
    as_json: desk.Json = False,
) -> None:
    """See an issue as its readers will: frozen as it is, or as it would be now."""
    if sum([bool(html), text, open_]) > 1:
        raise UsageError("choose one of --html, --text and --open")
    here = desk.of(ctx)
    with here.read() as session:
        current = previews.current(session, issue, here.settings, keyring=here.keyring, now=here.now)
    shown = previews.filled(current, here.settings, keyring=here.keyring)
    if as_json:
        output.emit(shown)
    elif html == "-":
        output.write(shown.html)
    elif html:
        _write(Path(html), shown.html)
        output.say(f"{html}: {shown.subject}")
    elif open_:
        path = Path(tempfile.mkdtemp(prefix="preview-")) / f"issue-{issue}.html"
        _write(path, shown.html)
        if not webbrowser.open(path.as_uri()):
            raise Refused(f"no browser can be started here; open {path} yourself")
        output.say(str(path))
    else:
        output.write(f"Subject: {shown.subject}\n\n{shown.text}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}; name another file") from error
