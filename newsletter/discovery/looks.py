"""Looks: what stood at the addresses that briefings cite each time that somebody looked."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlmodel import Session, col, select, update

from newsletter.discovery import cleaning
from newsletter.discovery.models import SourceLook

#: For how long the words of a page are kept.
KEPT = timedelta(days=30)
#: Names that stand for nobody (RFC 2606, RFC 6761): nothing is asked there.
_NOBODY = (".example", ".test", ".invalid", ".localhost", ".example.com", ".example.net", ".example.org")


@dataclass(frozen=True, kw_only=True)
class Look:
    """What stood at an address: a page, by its fingerprints, or in `trouble` why there is none.

    A page that is there may have `trouble` too, when its words were asked for and could not be had.
    """

    url: str
    at: datetime
    status: int = 0
    trouble: str = ""
    title: str = ""
    sha256: str = ""
    paragraphs: tuple[str, ...] = ()
    corrections: int = 0
    text: str = ""

    @property
    def gone(self) -> bool:
        """Return whether the page was there and is taken away."""
        return self.status in (404, 410)


def page(url: str) -> str:
    """Return the one spelling of a page's address by which looks are kept, the empty string for what is none."""
    return cleaning.canonical(url)


def there(url: str) -> bool:
    """Return whether somebody can be asked at an address: it is one, and no example's."""
    address = page(url)
    return bool(address) and not f".{urlsplit(address).hostname or ''}".endswith(_NOBODY)


def keep(session: Session, looks: Iterable[Look]) -> None:
    """Store what looks found."""
    for look in looks:
        session.add(SourceLook(**{**vars(look), "paragraphs": list(look.paragraphs)}))
    session.flush()


def since(session: Session, urls: Collection[str], moment: datetime) -> dict[str, list[Look]]:
    """Return the looks at addresses from a moment on, the oldest first, by address."""
    found: dict[str, list[Look]] = {}
    there = select(SourceLook).where(col(SourceLook.url).in_({page(url) for url in urls}), SourceLook.at >= moment)
    for row in session.exec(there.order_by(col(SourceLook.at), col(SourceLook.id))) if urls else ():
        found.setdefault(row.url, []).append(_look(row))
    return found


def read(session: Session, urls: Collection[str]) -> dict[str, Look]:
    """Return the newest look at each address that took its words or says why it could not, by address."""
    about = (col(SourceLook.text) != "") | (col(SourceLook.trouble) != "")
    there = select(SourceLook).where(col(SourceLook.url).in_({page(url) for url in urls}), about)
    found: dict[str, Look] = {}
    for row in session.exec(there.order_by(col(SourceLook.at), col(SourceLook.id))) if urls else ():
        if row.text or not found.get(row.url, _look(row)).text:
            found[row.url] = _look(row)
    return found


def discard(session: Session, *, now: datetime) -> int:
    """Discard the words that are older than 30 days; their fingerprints stay. Return of how many looks."""
    old = update(SourceLook).where(col(SourceLook.at) < now - KEPT, col(SourceLook.text) != "")
    return int(session.execute(old.values(text="")).rowcount)  # type: ignore[attr-defined]


def unread(session: Session, urls: Sequence[str], *, since: datetime) -> list[str]:
    """Return those of the addresses of which no words are held and nobody tried to take them since a moment."""
    known = read(session, urls)
    tried = {url for url, look in known.items() if look.text or look.at >= since}
    return [url for url in dict.fromkeys(map(page, urls)) if url not in tried and there(url)]


def _look(row: SourceLook) -> Look:
    return Look(
        url=row.url, at=row.at, status=row.status, trouble=row.trouble, title=row.title, sha256=row.sha256,
        paragraphs=tuple(row.paragraphs), corrections=row.corrections, text=row.text,
    )  # fmt: skip
