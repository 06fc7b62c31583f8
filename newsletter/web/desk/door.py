"""The door: an address is mailed a link, the link shows a button, and the button lets its person in."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException
from fastapi.responses import RedirectResponse, Response

from newsletter.delivery import logins as letters
from newsletter.editorial import logins, sessions
from newsletter.errors import Refused
from newsletter.web.desk.visit import COOKIE, HEADERS, Doing, own
from newsletter.web.forms import Sent, Spoken, network, one
from newsletter.web.site import READ, Here, Site
from subscribers import knocks

router = APIRouter()

#: How many links are mailed for one network, and to one address, in an hour.
FROM_NETWORK, TO_ADDRESS = 20, 5


@router.api_route("/desk/login", methods=READ)
def show(site: Here) -> Response:
    """Ask for an address."""
    return site.page("desk/login", headers=HEADERS, asked=False)


@router.post("/desk/login", dependencies=[Depends(own)])
def ask(site: Here, sent: Sent, word: Spoken, later: BackgroundTasks) -> Response:
    """Mail a link to who works here under the address, and say the same whoever does."""
    address = one(sent, "email")
    if _allowed(site, word["ip"], address):  # after the answer, so that its time tells nobody who works here
        later.add_task(letters.send, site.engine, site.settings, address, clock=site.clock)
    return site.page("desk/login", headers=HEADERS, asked=True)


def _allowed(site: Site, ip: str, address: str) -> bool:
    """Return whether an address is asked about; HTTPException where its network has asked enough."""
    now, hour = site.clock(), timedelta(hours=1)
    with site.transaction() as session:
        knocks.sweep(session, before=now - timedelta(days=2))
        few = knocks.allow(
            session, site.keyring, "desk network", network(ip), most=FROM_NETWORK, within=hour, now=now
        )  # fmt: skip
        once = few and knocks.allow(
            session, site.keyring, "desk", address.casefold(), most=TO_ADDRESS, within=hour, now=now
        )
    if not few:
        raise HTTPException(429, "Too many links were asked for from your network; try again in an hour.",
                            {"Retry-After": "3600"})  # fmt: skip
    return once


@router.api_route("/desk/login/{token}", methods=READ)
def look(token: str, site: Here) -> Response:
    """Show the button: what opens links by itself lets nobody in."""
    with site.reading() as session:
        person = logins.look(session, token, now=site.clock())
    return site.page("desk/enter", status=200 if person else 410, headers=HEADERS, person=person)


@router.post("/desk/login/{token}", dependencies=[Depends(own)])
def enter(token: str, site: Here, word: Spoken) -> Response:
    """Let the link's person in, once."""
    try:
        with site.transaction() as session:
            secret = logins.take(session, token, agent=word["user_agent"], now=site.clock())
    except Refused:
        return site.page("desk/enter", status=410, headers=HEADERS, person=None)
    answer = RedirectResponse(f"{site.prefix}/desk", 303)
    answer.set_cookie(COOKIE, secret, max_age=int(sessions.LASTS.total_seconds()), **_kept(site))
    return answer


@router.post("/desk/logout")
def leave(visit: Doing) -> Response:
    """End the session of this browser."""
    with visit.site.transaction() as session:
        sessions.end(session, visit.session.id)
    answer = visit.to("/login")
    answer.delete_cookie(COOKIE, **_kept(visit.site))
    return answer


def _kept(site: Site) -> dict[str, Any]:
    """Return how browsers keep the cookie: for the desk alone, from scripts, and from other sites' forms."""
    return {"path": f"{site.prefix}/desk", "secure": site.secure, "httponly": True, "samesite": "lax"}
