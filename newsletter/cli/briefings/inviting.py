"""`newsletter briefings invite`: a link by which a person without a terminal decides on a text."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from newsletter.cli import desk, output
from newsletter.cli.briefings.options import Id
from newsletter.editorial import invitations
from newsletter.editorial.invitations import APPROVERS, InvitationView
from newsletter.errors import UsageError

_SPAN = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def register(app: typer.Typer) -> None:
    """Put the command under the noun."""
    app.command()(invite)


def invite(
    ctx: typer.Context,
    id: Id,
    to: Annotated[
        str, typer.Option("--to", metavar="PERSON", help="Who is to decide: a short name, or their address.")
    ] = "",
    lasts: Annotated[str, typer.Option("--for", metavar="SPAN", help="How long the link lasts: 12h, 3d, 2w.")] = "3d",
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the open links back, all or one person's.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Show the links that there were, and what became of each.")
    ] = False,
    as_: desk.Actor = "",
    as_json: desk.Json = False,
) -> None:
    """Make a link by which one person approves, sends back or comments a text in review, in the browser.

    It is good for that person, for that exact text, for one decision, and until its date; `newsletter serve` answers
    it. Who had a hand in the text cannot be invited. The link is shown once: give it to nobody else.
    """
    if listed:
        _list(desk.of(ctx), id, as_json=as_json)
    elif revoke:
        _revoke(desk.of(ctx), id, to, as_, as_json=as_json)
    elif to:
        _invite(desk.of(ctx), id, to, _span(lasts), as_, as_json=as_json)
    else:
        raise UsageError("say who is to decide: --to PERSON")


def _invite(here: desk.Desk, id: str, to: str, lasts: timedelta, as_: str, *, as_json: bool) -> None:
    here.may(as_, *APPROVERS)
    public = here.settings.require("publication.public_url", "a link to review a text").rstrip("/")
    here.look(id)
    with here.acting(as_, *APPROVERS) as act:
        solo = here.settings.publication.solo
        made = invitations.invite(act.session, id, to=to, actor=act.who, lasts=lasts, solo=solo, now=act.now)
    link, told = f"{public}/review/{made.token}", made.invitation
    if as_json:
        output.emit({**_json(told), "link": link})
        return
    output.say(link)
    output.note(
        f"For {told.person} alone, for revision {told.revision} of {id}, until {told.expires_at:%Y-%m-%d %H:%M} UTC; "
        "it is shown only now"
    )


def _revoke(here: desk.Desk, id: str, to: str, as_: str, *, as_json: bool) -> None:
    with here.acting(as_, *APPROVERS) as act:
        ended = invitations.revoke(act.session, id, to=to, actor=act.who, now=act.now)
    if as_json:
        output.emit([_json(each) for each in ended])
    else:
        output.say(f"No link to {id} is open any more for {', '.join(sorted({each.person for each in ended}))}")


def _list(here: desk.Desk, id: str, *, as_json: bool) -> None:
    with here.glance(id) as session:
        found = invitations.of(session, id, now=here.now)
    if as_json:
        output.emit([_json(each) for each in found])
        return
    rows = [
        (each.at, each.person, each.revision, each.answer or each.state, each.expires_at, each.invited_by)
        for each in found
    ]
    columns = ("when", "for", "revision", "state", "until", "invited by")
    output.table(columns, rows, empty=f"Nobody was invited; newsletter briefings invite {id} --to PERSON")


def _json(told: InvitationView) -> dict[str, object]:
    return {"invitation": told.id, **{name: value for name, value in vars(told).items() if name != "id"}}


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise UsageError(f"--for {text} is no span of time; write it as 12h, 3d or 2w")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])
