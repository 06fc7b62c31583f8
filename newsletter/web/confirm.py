"""Confirming: the answer to the letter. A GET shows what it would come to; only the button's POST does it."""

from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter.delivery.letterbox import listed
from newsletter.web.forms import Sent, Spoken, one
from newsletter.web.readers import masked
from newsletter.web.site import READ, Here, Site
from subscribers import confirmations
from subscribers.confirmations import Answer

router = APIRouter()


@router.api_route("/confirm/{token}", methods=READ)
def show(token: str, site: Here) -> Response:
    """Ask the reader to press the button, or say why there is nothing to confirm."""
    return _page(site, token)


@router.post("/confirm/{token}")
def act(token: str, site: Here, sent: Sent, word: Spoken) -> Response:
    """Put the reader on the lists; a second time changes nothing."""
    if one(sent, "action") != "confirm":
        raise HTTPException(400)
    with site.transaction() as session:
        answer = confirmations.confirm(
            session, token, keyring=site.keyring, now=word["now"], ip=word["ip"], user_agent=word["user_agent"]
        )
    return _page(site, token, done=answer is Answer.CONFIRMED)


def _page(site: Site, token: str, *, done: bool = False) -> Response:
    with site.reading() as session:
        answer, questions = confirmations.look(session, token, now=site.clock())
    if not questions:
        raise HTTPException(404)
    wanted = urlencode([("list", each.list) for each in questions])
    return site.page(
        "confirm", answer=answer, titles=listed([each.title for each in questions]), several=len(questions) > 1,
        address=masked(questions[0].email), again=f"{site.prefix}/signup?{wanted}", done=done,
        status=410 if answer in (Answer.EXPIRED, Answer.WITHDRAWN) else 200,
    )  # fmt: skip
