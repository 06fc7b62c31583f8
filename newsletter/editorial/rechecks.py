"""Rechecks: the pages behind briefings looked at again, beside what they said when the text was approved."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.discovery import looks
from newsletter.discovery.looks import Look
from newsletter.editorial import standings
from newsletter.editorial.models import BriefingState
from newsletter.editorial.standings import HELD, Standing
from newsletter.settings import Settings

if TYPE_CHECKING:
    from newsletter.discovery.originals import Reader

#: The states of briefings whose sources' words are worth having, and for how long a vain try is not repeated.
_WRITTEN = (BriefingState.DRAFT, BriefingState.IN_REVIEW, BriefingState.APPROVED)
_AGAIN = timedelta(hours=24)
_EVER = datetime(1990, 1, 1, tzinfo=UTC)


class Change(StrEnum):
    """What became of a source's page since a text was approved."""

    #: it is gone: 404 or 410
    GONE = "gone"
    #: it speaks of a correction that it did not speak of before
    CORRECTED = "corrected"
    #: its title or its paragraphs read otherwise
    CHANGED = "changed"
    #: the newest look brought no page
    UNSEEN = "unseen"
    #: it says what it said
    SAME = "same"
    #: nobody has looked yet, or the address is an example's
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Recheck:
    """One source of a briefing: what became of its page, in words too, and when that was last looked at."""

    briefing: str
    source: int
    name: str
    url: str
    change: Change
    told: str
    at: datetime | None


def look(
    engine: Engine, ids: Collection[str], settings: Settings, *, since: datetime, now: datetime,
    tell: Callable[[int, int | None], object] = lambda done, size: None,
) -> int:  # fmt: skip
    """Look at the pages that briefings cite and nobody has looked at since a moment; return how many that were.

    It asks others, and takes up to 20 seconds: nobody should wait for it in a transaction.
    """
    from newsletter.discovery import originals  # what asks and reads is only loaded by those who do

    with db.reading(engine) as session:
        cited = _cited(standings.get(session, id) for id in ids)
        known = looks.since(session, cited, since)
    wanted = [url for url in cited if looks.page(url) not in known]
    return _keep(engine, originals.reader(settings, tell=tell), wanted, now) if wanted else 0


def read(
    engine: Engine, settings: Settings, *, ids: Collection[str] | None = None, now: datetime,
    tell: Callable[[int, int | None], object] = lambda done, size: None,
) -> int:  # fmt: skip
    """Take the words of the pages that briefings in work cite, or only these, and discard old ones; return of how many.

    A page in five seconds from each host: many pages of one host take their time.
    """
    from newsletter.discovery import originals

    with db.transaction(engine) as session:
        looks.discard(session, now=now)
        if not settings.discovery.fulltext:
            return 0
        originals.require_extra(settings)
        if ids is None:
            written = [each for state in _WRITTEN for each in standings.all(session, state=state)]
        else:
            written = [standings.get(session, id) for id in ids]
        wanted = looks.unread(session, _cited(written), since=now - _AGAIN if ids is None else now)
    return _keep(engine, originals.reader(settings, words=True, tell=tell), wanted, now) if wanted else 0


def _keep(engine: Engine, reader: "Reader", urls: Sequence[str], now: datetime) -> int:
    found = reader.look(urls, now=now)
    with db.transaction(engine) as session:
        looks.keep(session, found)
    return len(found)


def _cited(briefings: Collection[Standing] | Iterator[Standing]) -> list[str]:
    return list(dict.fromkeys(source.url for each in briefings for source in each.document.sources if source.url))


def found(session: Session, here: Standing) -> list[Recheck]:
    """Return what became of each source of a briefing since its approval, else since the first look."""
    approval = standings.newest_approval(session, here.id)
    holds = approval is not None and approval.sha256 == here.sha256 and here.state in HELD
    urls = [source.url for source in here.document.sources if source.url]
    known = looks.since(session, urls, approval.at if approval and holds else _EVER)
    made = []
    for number, source in enumerate(here.document.sources, start=1):
        seen = known.get(looks.page(source.url), [])
        change, told = _compared(seen)
        if not seen and not looks.there(source.url):
            told = "an example's address, or none"
        made.append(
            Recheck(
                briefing=here.id, source=number, name=source.name, url=source.url, change=change, told=told,
                at=seen[-1].at if seen else None,
            )
        )  # fmt: skip
    return made


def unseen(session: Session) -> list[str]:
    """Return the approved briefings with a source that nobody has looked at since; those of examples do not count."""
    return [
        here.id
        for here in standings.all(session, state=BriefingState.APPROVED)
        if any(each.change is Change.UNKNOWN and looks.there(each.url) for each in found(session, here))
    ]


def _compared(seen: Sequence[Look]) -> tuple[Change, str]:
    """Return what the newest look says beside the first that found a page."""
    if not seen:
        return Change.UNKNOWN, "nobody has looked"
    last, first = seen[-1], next((each for each in seen if each.sha256), None)
    if last.gone:
        return Change.GONE, f"it answers {last.status}"
    if not last.sha256 or first is None:
        return Change.UNSEEN, last.trouble
    if last.corrections > first.corrections:
        return Change.CORRECTED, "it speaks of a correction"
    if last.sha256 != first.sha256:
        return Change.CHANGED, _difference(first, last)
    return Change.SAME, ""


def _difference(first: Look, last: Look) -> str:
    new, gone = set(last.paragraphs) - set(first.paragraphs), set(first.paragraphs) - set(last.paragraphs)
    told = [f"its title is now “{last.title}”"] if last.title != first.title else []
    told += [f"{len(new)} of its paragraphs are new"] if new else []
    told += [f"{len(gone)} are gone" if new else f"{len(gone)} of its paragraphs are gone"] if gone else []
    return ", ".join(told) or "its paragraphs stand in another order"
