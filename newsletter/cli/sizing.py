"""How long an issue takes to read and how large it is, for `newsletter compose`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from newsletter.cli import desk, output
from newsletter.errors import NewsletterError
from newsletter.issues import contents, selecting
from newsletter.issues.content import Terms
from newsletter.issues.issues import IssueView, Words
from newsletter.issues.selecting import Selection
from newsletter.rendering import measuring
from newsletter.rendering.measuring import Measure


@dataclass(frozen=True, kw_only=True)
class Extent:
    """An issue's minutes of reading and its size; `trouble` says why it has no size yet."""

    minutes: float
    measure: Measure | None
    trouble: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        size = {"bytes": self.measure.bytes, "fits": self.measure.fits} if self.measure else {}
        return {"minutes": round(self.minutes, 1), "bytes": None, "fits": None, **size}


def cut(
    session: Session, here: desk.Desk, chosen: Selection, kilobytes: int, *, words: Words, terms: Terms, now: datetime
) -> Selection:
    """Return as many of the first picks as an issue of so many kilobytes has room for; the first always has."""
    if not kilobytes or not chosen.picks:
        return chosen
    content = contents.draft(session, chosen.picks, words=words, terms=terms, now=now)
    limit = kilobytes * 1000
    found = measuring.measure(content, here.settings, keyring=here.keyring, limit=limit, now=now)
    return chosen.cut(max(found.fits, 1), f"the issue would have more than {kilobytes} KB (--max-kb)")


def extent(here: desk.Desk, issue: IssueView) -> Extent:
    """Return how long and how large an issue is as it stands."""
    with here.read() as session:
        content = contents.read(session, issue.id, now=here.now)
    minutes = sum(selecting.reading(item.document) for item in content.items)
    try:
        found = measuring.measure(content, here.settings, keyring=here.keyring, now=here.now)
    except NewsletterError as error:  # a theme or a setting that the preview will name; the issue is composed
        return Extent(minutes=minutes, measure=None, trouble=str(error))
    return Extent(minutes=minutes, measure=found)


def tell(issue: IssueView, extent: Extent) -> None:
    """Print how long and how large an issue is, and warn where mail programs would cut it off."""
    found = extent.measure
    if found is None:
        output.say(f"It takes {extent.minutes:.1f} minutes to read")
        output.note(f"note: its size is not known yet: {extent.trouble}")
        return
    output.say(f"It takes {extent.minutes:.1f} minutes to read, and has {found.kilobytes} KB of HTML")
    if found.bytes > found.limit:
        items = len(issue.items)
        fit = f"the first {found.fits} of {items} items fit" if found.fits else "not even the first item fits"
        drop = " ".join(f"--drop {number}" for number in range(max(found.fits, 1) + 1, items + 1))
        way_on = f"; leave the others out: newsletter issues edit {issue.id} {drop}" if drop else ""
        output.note(f"warning: Gmail cuts mail off after {found.limit // 1000} KB of HTML, and {fit}{way_on}")


def listed(issue: IssueView, left: dict[str, str]) -> None:
    """Print an issue's items in order, and why each briefing that waits is left out."""
    for position, briefing in enumerate(issue.items, start=1):
        output.say(f"  {position}. {briefing}")
    for briefing, why in left.items():
        output.say(f"  Left out: {briefing}: {why}")
