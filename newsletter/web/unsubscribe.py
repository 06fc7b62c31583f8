"""Leaving: one click in the mail program (RFC 8058), or a page with a button. Only a POST changes anything."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import PlainTextResponse, Response

from newsletter.feedback import leaving
from newsletter.feedback.leaving import Word
from newsletter.web import readers
from newsletter.web.forms import Sent, Spoken
from newsletter.web.site import PERSONAL, READ, Here, Site
from subscribers.consent import Saying
from subscribers.models import Frequency
from subscribers.tokens import Purpose, sign

router = APIRouter()

#: What stands in the token of a test message in a subscriber's place.
TEST = 0


@router.api_route("/u/{token}", methods=READ)
def show(token: str, site: Here) -> Response:
    """Show where the reader stands on the list, and the buttons."""
    subscriber_id, list_id = site.ticket(token, Purpose.UNSUBSCRIBE)
    return _page(site, subscriber_id, list_id)


@router.post("/u/{token}")
def act(token: str, site: Here, sent: Sent, word: Spoken) -> Response:
    """Do what the mail program or the page's button asks; any other body is refused and changes nothing."""
    subscriber_id, list_id = site.ticket(token, Purpose.UNSUBSCRIBE)
    if sent.get("List-Unsubscribe") == ["One-Click"]:
        return _one_click(site, subscriber_id, list_id, word)
    action = "".join(sent.get("action", []))
    if action not in ("leave", "leave-all", "fewer", "undo", "undo-all"):
        raise HTTPException(400)
    if subscriber_id != TEST:
        _act(site, action, subscriber_id, list_id, word)
    return _page(site, subscriber_id, list_id, done=action)


def _one_click(site: Site, subscriber_id: int, list_id: int, word: Word) -> Response:
    # RFC 8058 3.2: no cookie, no further question, no redirect; the mail program shows nothing of the answer.
    if subscriber_id == TEST:
        return PlainTextResponse("This was a test message: there is nobody to unsubscribe.\n", headers=PERSONAL)
    clicked: Word = {**word, "method": "one-click"}
    site.leavings.ask(Saying(subscriber_id=subscriber_id, list_id=list_id, **clicked))
    return PlainTextResponse("You are unsubscribed from this list.\n", headers=PERSONAL)


def _act(site: Site, action: str, subscriber_id: int, list_id: int, word: Word) -> None:
    with site.transaction() as session:
        match action:
            case "leave":
                leaving.leave(session, subscriber_id=subscriber_id, list_id=list_id, **word)
            case "leave-all":
                leaving.leave_all(session, subscriber_id=subscriber_id, **word)
            case "fewer":
                readers.choose(session, subscriber_id, Frequency.MONTHLY, keyring=site.keyring)
            case "undo":
                leaving.come_back(session, subscriber_id=subscriber_id, list_id=list_id, **word)
            case "undo-all":
                leaving.come_back_to_all(session, subscriber_id=subscriber_id, **word)


def _page(site: Site, subscriber_id: int, list_id: int, *, done: str = "") -> Response:
    if subscriber_id == TEST:
        return site.page("test_message")
    with site.reading() as session:
        reader = readers.find(session, subscriber_id)
    standing = reader.on(list_id) if reader else None
    if reader is None or standing is None:
        return site.page("gone")
    return site.page(
        "unsubscribe",
        reader=reader,
        standing=standing,
        others=[other for other in reader.live if other.list_id != list_id],
        done=done,
        preferences=f"{site.prefix}/p/{sign(site.keyring, Purpose.PREFERENCES, subscriber_id)}",
    )
