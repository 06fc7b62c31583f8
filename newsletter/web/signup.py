"""Signing up: a form that anybody can fill in, with the same answer for every address.

A form on somebody else's page posts an address here and is shown this one: what is agreed to is always read here.
"""

import ipaddress
import logging
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request
from fastapi.responses import Response

from newsletter.delivery import letters as post
from newsletter.delivery.replies import Kind
from newsletter.errors import RelayError, SettingsError
from newsletter.feedback.leaving import Word
from newsletter.rendering import letters
from newsletter.web.forms import Sent, Spoken, one
from newsletter.web.site import READ, Here, Site
from subscribers import addresses, confirmations, consent, knocks, lists, signups, topics
from subscribers.confirmations import Asked
from subscribers.errors import BadAddress
from subscribers.lists import ListView
from subscribers.models import Frequency
from subscribers.signups import Form
from subscribers.tokens import Purpose, read, sign

router = APIRouter()
_log = logging.getLogger(__name__)

#: What a reader agrees to, below the name of the list; it is kept as the proof.
AGREEMENT = "Send me this newsletter by mail. I can stop it at any time by the link in each message."
#: Nobody fills the form in faster; nobody takes longer than the other without being shown it anew.
QUICK, STALE = timedelta(seconds=2), timedelta(days=1)
#: How many sign-ups are taken from one network in an hour, and how many letters go to one address in a day.
FROM_NETWORK, TO_ADDRESS = 20, 3


@router.api_route("/signup", methods=READ)
def show(site: Here, request: Request) -> Response:
    """Show the form, with the list ticked that the address names."""
    return _page(site, wanted=request.query_params.get("list", ""))


@router.post("/signup")
def act(site: Here, request: Request, sent: Sent, word: Spoken, later: BackgroundTasks) -> Response:
    """Take a sign-up and say the same whoever it was; show the form again where it was not filled in by a person."""
    email, wanted = one(sent, "email"), one(sent, "list")
    if one(sent, "website"):  # people do not see this field
        return _thanks(site)
    if not _in_time(site, one(sent, "shown")) or one(sent, "version") != _version():
        return _page(site, email=email, wanted=wanted)
    try:
        key = addresses.parse(email).key
    except BadAddress:
        said = "That is no address that mail can go to. Please look at it again."
        return _page(site, email=email, wanted=wanted, said=said, status=422)
    if not _allowed(site, word["ip"], key):
        return _thanks(site)
    asked = _sign_up(site, email, wanted, sent, word)
    if asked:
        later.add_task(_ask, site, asked)  # after the answer, so that its time tells nobody who is known here
    return _thanks(site)


def _sign_up(site: Site, email: str, wanted: str, sent: dict[str, list[str]], word: Word) -> Asked | None:
    """Record the wish, and return the question to mail, None where there is none."""
    frequency = one(sent, "frequency")
    with site.transaction() as session:
        chosen = next((each for each in _offered(lists.all(session)) if each.name == wanted), None)
        if chosen is None or frequency not in {each.value for each in Frequency}:
            raise HTTPException(400)
        known = {topic.name for topic in topics.all(session)}
        form = Form(
            shown=_shown(chosen), version=_version(), method="page", ip=word["ip"], user_agent=word["user_agent"]
        )
        return signups.sign_up(
            session, email, list=chosen.name, form=form, topics=sorted(known & set(sent.get("topic", []))),
            frequency=Frequency(frequency), keyring=site.keyring, now=word["now"],
        ).asked  # fmt: skip


def _allowed(site: Site, ip: str, key: str) -> bool:
    """Return whether a sign-up is taken; HTTPException where its network has had enough of them."""
    now = site.clock()
    with site.transaction() as session:
        knocks.sweep(session, before=now - timedelta(days=2))
        few = knocks.allow(
            session, site.keyring, "network", _network(ip), most=FROM_NETWORK, within=timedelta(hours=1), now=now
        )
        once = few and knocks.allow(
            session, site.keyring, "address", key, most=TO_ADDRESS, within=timedelta(days=1), now=now
        )
    if not few:
        raise HTTPException(429, "Too many sign-ups came from your network; try again in an hour.",
                            {"Retry-After": "3600"})  # fmt: skip
    return once


def _ask(site: Site, asked: Asked) -> None:
    """Mail the question. Who gets no letter signs up again; what went wrong stands in the log, without the address."""
    question = asked.question
    link = f"{site.settings.publication.url}/confirm/{asked.token}"
    try:
        letter = letters.confirmation(
            site.settings, title=question.title, shown=AGREEMENT, link=link, until=question.expires_at
        )
        message_id, envelope = post.assemble(site.settings, letter, to=question.email, now=site.clock())
        with site.transaction() as session:
            confirmations.mailed(session, question.id, message_id)
        outcome = post.send(site.settings, envelope)
        if outcome.kind is not Kind.SENT:
            _log.warning("the letter of confirmation %s was not taken (%s)", question.id, outcome.code)
    except (RelayError, SettingsError) as error:
        _log.error("the letter of confirmation %s could not be sent: %s", question.id, error)


def _page(site: Site, *, email: str = "", wanted: str = "", said: str = "", status: int = 200) -> Response:
    with site.reading() as session:
        offered, known = _offered(lists.all(session)), topics.all(session)
    if not offered:
        raise HTTPException(404)
    shown = sign(site.keyring, Purpose.FORM, int(site.clock().timestamp()))
    headers = {"Cache-Control": "no-store"}  # the form carries the moment at which it was shown
    return site.page(
        "signup", status=status, headers=headers, lists=offered, topics=known, frequencies=list(Frequency),
        agreement=AGREEMENT, version=_version(), shown=shown, email=email, said=said,
        wanted=wanted if wanted in {each.name for each in offered} else offered[0].name,
    )  # fmt: skip


def _thanks(site: Site) -> Response:
    return site.page("signup_thanks")


def _offered(found: list[ListView]) -> list[ListView]:
    return [each for each in found if each.public]


def _shown(chosen: ListView) -> str:
    return f"{chosen.title}\n{AGREEMENT}"


def _version() -> str:
    return consent.digest(AGREEMENT)[:12]


def _in_time(site: Site, token: str) -> bool:
    """Return whether the form was shown neither just now nor too long ago."""
    numbers = read(site.keyring, Purpose.FORM, token)
    return numbers is not None and QUICK <= site.clock() - datetime.fromtimestamp(numbers[0], UTC) <= STALE


def _network(ip: str) -> str:
    """Return the network that an address is in, as providers give them out: whole /64s, where they can."""
    try:
        return str(ipaddress.ip_network(f"{ip}/{64 if ':' in ip else 24}", strict=False))
    except ValueError:
        return ip
