"""What a reader wants to read about, how often and from when on, and why they get it at all."""

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from newsletter.web import readers
from newsletter.web.forms import Fields, Sent, one
from newsletter.web.site import READ, Here, Site
from newsletter.web.unsubscribe import TEST
from subscribers import consent, counting, pauses, topics
from subscribers.errors import BadValue
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
    """Keep the topics that are ticked, and how often, or begin or end a pause; what nobody offered is passed over."""
    subscriber_id, _ = site.ticket(token, Purpose.PREFERENCES)
    match sent.get("action"):
        case ["save"]:
            return _save(site, subscriber_id, sent)
        case ["pause"]:
            return _pause(site, subscriber_id, one(sent, "until"))
        case ["resume"]:
            with site.transaction() as session:
                pauses.end(session, subscriber_id)
            return _page(site, subscriber_id, said="Issues come to you again from now on.")
    raise HTTPException(400)


def _save(site: Site, subscriber_id: int, sent: Fields) -> Response:
    with site.transaction() as session:
        known = [topic.name for topic in topics.all(session)]
        topics.choose(session, subscriber_id, [name for name in known if name in sent.get("topic", [])])
        if (often := one(sent, "frequency")) in set(Frequency):
            readers.choose(session, subscriber_id, Frequency(often), keyring=site.keyring)
        if "clicks" in sent:  # the form says so where it asks
            counting.refuse(session, subscriber_id, "refused" in sent["clicks"])
    return _page(site, subscriber_id, saved=True)


def _pause(site: Site, subscriber_id: int, day: str) -> Response:
    now = site.clock()
    first, last = pauses.bounds(now)
    try:
        with site.transaction() as session:
            pauses.until(session, subscriber_id, date.fromisoformat(day), now=now)
    except (BadValue, ValueError):
        said = f"Choose a day between {_day(first)} and {_day(last)}; nothing was changed."
        return _page(site, subscriber_id, said=said, status=422)
    return _page(site, subscriber_id)


@router.api_route("/p/{token}/why", methods=READ)
def why(token: str, site: Here) -> Response:
    """Show what the reader agreed to on each list, when and how: the proofs that the desk keeps."""
    subscriber_id, _ = site.ticket(token, Purpose.PREFERENCES)
    with site.reading() as session:
        reader = readers.find(session, subscriber_id)
        proofs, counted = consent.of(session, subscriber_id), counting.of(session, subscriber_id)
    if reader is None:
        return site.page("test_message" if subscriber_id == TEST else "gone")
    titles = {each.name: each.title for each in reader.standings}
    return site.page(
        "why", reader=reader, proofs=proofs, titles=titles, counted=counted, back=f"{site.prefix}/p/{token}"
    )


def _page(site: Site, subscriber_id: int, *, saved: bool = False, said: str = "", status: int = 200) -> Response:
    if subscriber_id == TEST:
        return site.page("test_message")
    with site.reading() as session:
        reader = readers.find(session, subscriber_id)
        chosen, counted = topics.of(session, subscriber_id), counting.of(session, subscriber_id)
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
    paused = reader.paused_until if reader.paused_until and reader.paused_until > site.clock() else None
    first, last = pauses.bounds(site.clock())
    return site.page(
        "preferences", status=status, reader=reader, choices=choices, frequencies=list(Frequency), links=links, why=why,
        counted=counted, saved=saved, said=said, wrong=status != 200, paused=_day(paused) if paused else "",
        first=first, last=last,
    )  # fmt: skip


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
