"""Signing up: a form that anybody can fill in, with the same answer for every address.

A form on somebody else's page posts an address here and is shown this one: what is agreed to is always read here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request
from fastapi.responses import Response

from newsletter.delivery import letterbox
from newsletter.feedback.leaving import Word
from newsletter.web.forms import Fields, Sent, Spoken, network, one
from newsletter.web.site import READ, Here, Site
from subscribers import addresses, consent, knocks, lists, signups, topics
from subscribers.errors import BadAddress
from subscribers.lists import ListView
from subscribers.models import Frequency
from subscribers.signups import Form
from subscribers.tokens import Purpose, read, sign

router = APIRouter()

#: What a reader agrees to, below the name of each list that they chose; it is kept as the proof.
AGREEMENT = "Send me this newsletter by mail. I can stop it at any time by the link in each message."
#: Nobody fills the form in faster; nobody takes longer than the other without being shown it anew.
QUICK, STALE = timedelta(seconds=2), timedelta(days=1)
#: How many sign-ups are taken from one network in an hour, and how many letters go to one address in a day.
FROM_NETWORK, TO_ADDRESS = 20, 3


@router.api_route("/signup", methods=READ)
def show(site: Here, request: Request) -> Response:
    """Show the form, with the lists ticked that the address names."""
    return _page(site, wanted=request.query_params.getlist("list"))


@router.post("/signup")
def act(site: Here, request: Request, sent: Sent, word: Spoken, later: BackgroundTasks) -> Response:
    """Take a sign-up and say the same whoever it was; show the form again where it was not filled in by a person."""
    email, wanted = one(sent, "email"), sorted({each.strip() for each in sent.get("list", [])} - {""})
    if one(sent, "website"):  # people do not see this field
        return _thanks(site)
    if not _in_time(site, one(sent, "shown")) or one(sent, "version") != _version():
        return _page(site, email=email, wanted=wanted)
    try:
        key = addresses.parse(email).key
    except BadAddress:
        said = "That is no address that mail can go to. Please look at it again."
        return _page(site, email=email, wanted=wanted, said=said, status=422)
    if not wanted:
        return _page(site, email=email, said="Please tick what you would like to get.", status=422)
    if not _allowed(site, word["ip"], key):
        return _thanks(site)
    letter = _sign_up(site, email, wanted, sent, word)
    if letter:  # after the answer, so that its time tells nobody who is known here
        later.add_task(letterbox.send, site.engine, site.settings, clock=site.clock, only=letter)
    return _thanks(site)


def _sign_up(site: Site, email: str, wanted: Sequence[str], sent: Fields, word: Word) -> int | None:
    """Record the wish, and return the letter that asks to confirm it, None where there is none."""
    frequency = one(sent, "frequency")
    with site.transaction() as session:
        offered = {each.name: each for each in _offered(lists.all(session))}
        if not offered.keys() >= set(wanted) or frequency not in {each.value for each in Frequency}:
            raise HTTPException(400)
        known = {topic.name for topic in topics.all(session)}
        form = Form(version=_version(), method="page", ip=word["ip"], user_agent=word["user_agent"])
        asked = signups.sign_up(
            session, email, wishes={name: _shown(offered[name]) for name in wanted}, form=form,
            topics=sorted(known & set(sent.get("topic", []))), frequency=Frequency(frequency), keyring=site.keyring,
            now=word["now"],
        ).asked  # fmt: skip
        return letterbox.put(session, asked, now=word["now"]) if asked else None


def _allowed(site: Site, ip: str, key: str) -> bool:
    """Return whether a sign-up is taken; HTTPException where its network has had enough of them."""
    now = site.clock()
    with site.transaction() as session:
        knocks.sweep(session, before=now - timedelta(days=2))
        few = knocks.allow(
            session, site.keyring, "network", network(ip), most=FROM_NETWORK, within=timedelta(hours=1), now=now
        )
        once = few and knocks.allow(
            session, site.keyring, "address", key, most=TO_ADDRESS, within=timedelta(days=1), now=now
        )
    if not few:
        raise HTTPException(429, "Too many sign-ups came from your network; try again in an hour.",
                            {"Retry-After": "3600"})  # fmt: skip
    return once


def _page(site: Site, *, email: str = "", wanted: Sequence[str] = (), said: str = "", status: int = 200) -> Response:
    with site.reading() as session:
        offered, known = _offered(lists.all(session)), topics.all(session)
    if not offered:
        raise HTTPException(404)
    shown = sign(site.keyring, Purpose.FORM, int(site.clock().timestamp()))
    headers = {"Cache-Control": "no-store"}  # the form carries the moment at which it was shown
    return site.page(
        "signup", status=status, headers=headers, lists=offered, topics=known, frequencies=list(Frequency),
        agreement=AGREEMENT, version=_version(), shown=shown, email=email, said=said,
        wanted=wanted,
    )  # fmt: skip


def _thanks(site: Site) -> Response:
    return site.page("signup_thanks")


def _offered(found: list[ListView]) -> list[ListView]:
    return [each for each in found if each.public]


def _shown(chosen: ListView) -> str:
    """Return the words beside a list, as the form has them."""
    return "\n".join(each for each in (chosen.title, chosen.description, AGREEMENT) if each)


def _version() -> str:
    return consent.digest(AGREEMENT)[:12]


def _in_time(site: Site, token: str) -> bool:
    """Return whether the form was shown neither just now nor too long ago."""
    numbers = read(site.keyring, Purpose.FORM, token)
    return numbers is not None and QUICK <= site.clock() - datetime.fromtimestamp(numbers[0], UTC) <= STALE
