"""What a reader wants to read about, how often, and why they get it at all."""

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter.web import readers
from newsletter.web.forms import Sent, one
from newsletter.web.site import READ, Here, Site
from newsletter.web.unsubscribe import TEST
from subscribers import consent, topics
from subscribers.models import Frequency
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
    """Keep the topics that are ticked, and how often; what the desk does not have is passed over."""
    subscriber_id, _ = site.ticket(token, Purpose.PREFERENCES)
    if sent.get("action") != ["save"]:
        raise HTTPException(400)
    with site.transaction() as session:
        known = [topic.name for topic in topics.all(session)]
        topics.choose(session, subscriber_id, [name for name in known if name in sent.get("topic", [])])
        if (often := one(sent, "frequency")) in set(Frequency):
            readers.choose(session, subscriber_id, Frequency(often), keyring=site.keyring)
    return _page(site, subscriber_id, saved=True)


@router.api_route("/p/{token}/why", methods=READ)
def why(token: str, site: Here) -> Response:
    """Show what the reader agreed to on each list, when and how: the proofs that the desk keeps."""
    subscriber_id, _ = site.ticket(token, Purpose.PREFERENCES)
    with site.reading() as session:
        reader = readers.find(session, subscriber_id)
        proofs = consent.of(session, subscriber_id)
    if reader is None:
        return site.page("test_message" if subscriber_id == TEST else "gone")
    titles = {each.name: each.title for each in reader.standings}
    return site.page("why", reader=reader, proofs=proofs, titles=titles, back=f"{site.prefix}/p/{token}")


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
    why = f"{site.prefix}/p/{sign(site.keyring, Purpose.PREFERENCES, subscriber_id)}/why"
    return site.page(
        "preferences", reader=reader, choices=choices, frequencies=list(Frequency), links=links, why=why, saved=saved
    )
