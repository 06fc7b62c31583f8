"""`newsletter preview`."""

import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import desk, output, shape
from newsletter.delivery import copies, inspection
from newsletter.editorial.models import Role
from newsletter.errors import Refused, UsageError
from newsletter.rendering import preview as previews
from newsletter.rendering.rendered import Rendered

app = shape.verb()


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An issue as one reader sees it, and the message that brings it."""

    rendered: Rendered
    message: bytes


@app.command()
def preview(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    html: Annotated[str, typer.Option(metavar="FILE", help="Write the HTML there; - prints it.")] = "",
    text: Annotated[bool, typer.Option("--text", help="Print the plain text (the default).")] = False,
    eml: Annotated[str, typer.Option(metavar="FILE", help="Write the message there as it would leave.")] = "",
    png: Annotated[
        str, typer.Option(metavar="FILE", help="Draw it there: desktop and phone, light and dark. Needs Chromium.")
    ] = "",
    open_: Annotated[
        bool, typer.Option("--open", help="Show the HTML, or with --serve its page, in the browser.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show it on a local page with the checks beside it, kept up to date.")
    ] = False,
    port: Annotated[int, typer.Option(help="The port of that page; 0 takes any.", min=0, max=65535)] = 0,
    as_: Annotated[
        str, typer.Option("--as", metavar="ADDRESS", help="Show this subscriber's own copy; for admins.")
    ] = "",
    by: Annotated[
        str, typer.Option(metavar="PERSON", envvar="NEWSLETTER_ACTOR", help="Who looks; else the OS user.")
    ] = "",
    as_json: desk.Json = False,
) -> None:
    """See an issue as its readers will: frozen as it is, or as it would be now.

    Everything stands in it, whoever will get it, unless --as names a reader.
    """
    here = desk.of(ctx)
    _one_form([bool(html), text, bool(eml), bool(png), open_ and not serve, serve], own=bool(as_))
    if serve:
        _serve(here, issue, port, open_=open_)
        return
    shown = _shown(here, issue, as_, by) if as_ else _specimen(here, issue, wanted=bool(eml))
    if as_json:
        output.emit(shown.rendered)
    elif eml:
        _write(Path(eml), shown.message)
        output.say(f"{eml}: {len(shown.message):,} bytes")
    elif png:
        _draw(Path(png), shown.rendered)
    else:
        _tell(shown.rendered, issue, html=html, open_=open_)


def _one_form(chosen: list[bool], *, own: bool) -> None:
    if sum(chosen) > 1:
        raise UsageError("choose one of --html, --text, --eml, --png, --open and --serve")
    if chosen[-1] and own:
        raise UsageError("--serve shows every part of the issue; leave out --as, or the other")


def _tell(shown: Rendered, issue: int, *, html: str, open_: bool) -> None:
    if html == "-":
        output.write(shown.html)
    elif html:
        _write(Path(html), shown.html.encode())
        output.say(f"{html}: {shown.subject}")
    elif open_:
        path = Path(tempfile.mkdtemp(prefix="preview-")) / f"issue-{issue}.html"
        _write(path, shown.html.encode())
        _browse(path.as_uri(), f"open {path} yourself")
        output.say(str(path))
    else:
        others = "".join(f"Or subject: {other}\n" for other in shown.alternatives)
        output.write(f"Subject: {shown.subject}\n{others}\n{shown.text}")


def _specimen(here: desk.Desk, issue: int, *, wanted: bool) -> Shown:
    with here.read() as session:
        current = previews.current(session, issue, here.settings, keyring=here.keyring, now=here.now)
    shown = previews.filled(current, here.settings, keyring=here.keyring)
    if not wanted:  # a message needs a sender, and what is only looked at does not
        return Shown(rendered=shown, message=b"")
    made = inspection.specimen(current, issue, here.settings, keyring=here.keyring, now=here.now)
    return Shown(rendered=shown, message=made)


def _shown(here: desk.Desk, issue: int, address: str, by: str) -> Shown:
    with here.seeing(by, Role.ADMIN) as session:
        current = previews.current(session, issue, here.settings, keyring=here.keyring, now=here.now)
        copy = copies.of(session, here.settings, issue, address, rendered=current, keyring=here.keyring, now=here.now)
    return Shown(rendered=copy.rendered, message=copy.envelope.message)


def _serve(here: desk.Desk, issue: int, port: int, *, open_: bool) -> None:
    from newsletter.web.proof import app as page
    from newsletter.web.proof.sheet import Proof

    proof = Proof(here.settings.folder, here.engine, issue)
    page.show(proof, port=port, open_=(lambda address: _browse(address, f"open {address} yourself")) if open_ else None)


def _draw(path: Path, shown: Rendered) -> None:
    from newsletter.rendering import picture

    made = picture.draw(shown.html, title=shown.subject)
    _write(path, made)
    output.say(f"{path}: {len(made):,} bytes")


def _browse(address: str, otherwise: str) -> None:
    if not webbrowser.open(address):
        raise Refused(f"no browser can be started here; {otherwise}")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}; name another file") from error
