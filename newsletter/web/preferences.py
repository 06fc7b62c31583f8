"""What a reader wants to read about."""

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter.web import readers
from newsletter.web.forms import Sent
from newsletter.web.site import READ, Here, Site
from newsletter.web.unsubscribe import TEST
from subscribers import topics
from subscribers.tokens import Purpose, sign

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A topic as the form offers it."""

    name: str
    label: str
    ticked: bool


@router.api_route("/p/{token}", methods=READ)
def show(token: str, site: Here) -> Response:
    """Show every topic with the reader's choice, and the reader's lists."""
    subscriber_id, _ = site.ticket(token, Purpose.PREFERENCES)
    return _page(site, subscriber_id)


@router.post("/p/{token}")
def save(token: str, site: Here, sent: Sent) -> Response:
    """Keep the topics that are ticked; a topic that the desk does not have is passed over."""
    subscriber_id, _ = site.ticket(token, Purpose.PREFERENCES)
    if sent.get("action") != ["save"]:
        raise HTTPException(400)
    with site.transaction() as session:
        known = [topic.name for topic in topics.all(session)]
        topics.choose(session, subscriber_id, [name for name in known if name in sent.get("topic", [])])
    return _page(site, subscriber_id, saved=True)


def _page(site: Site, subscriber_id: int, *, saved: bool = False) -> Response:
    if subscriber_id == TEST:
        return site.page("test_message")
    with site.reading() as session:
        reader = readers.find(session, subscriber_id)
        chosen = topics.of(session, subscriber_id)
        choices = [
            Choice(name=topic.name, label=topic.title, ticked=topic.name in chosen) for topic in topics.all(session)
        ]
    if reader is None:
        return site.page("gone")
    links = {
        each.list_id: f"{site.prefix}/u/{sign(site.keyring, Purpose.UNSUBSCRIBE, subscriber_id, each.list_id)}"
        for each in reader.standings
    }
    return site.page("preferences", reader=reader, choices=choices, links=links, saved=saved)
