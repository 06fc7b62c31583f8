"""`newsletter issues publish`."""

from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.editorial.models import Role
from newsletter.issues import visibility as visibilities
from newsletter.issues.models import IssueState, Visibility

_SEEN = {
    Visibility.PUBLIC: "everybody can see it, and lists, feeds and the search name it",
    Visibility.UNLISTED: "whoever has its address can see it, and nothing names it",
    Visibility.SUBSCRIBERS: "its readers can see it, by the link in their mail",
}


def publish(
    ctx: typer.Context,
    issue: desk.IssueNumber,
    visibility: Annotated[
        Visibility, typer.Option(help="Who can see it: everybody, whoever has the address, or its readers.")
    ] = Visibility.PUBLIC,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Say who can see an issue online once it went out; without this, `[archive] visibility` says so."""
    here = desk.of(ctx)
    with here.acting(as_, Role.EDITOR) as act:
        found = visibilities.publish(act.session, issue, visibility, actor=act.who, now=act.now)
    url = f"{here.settings.publication.url}/issues/{issue}"
    if as_json:
        output.emit({**found.as_json(), "url": url})
        return
    begun = {IssueState.SENT: "Now"}.get(found.state, "Once it is sent,")
    output.say(f"{begun} {_SEEN[visibility]}: {url}")
