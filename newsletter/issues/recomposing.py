"""Recomposing: an issue that is still assembled brought up to what is approved and waits now, under its number."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from newsletter.editorial import files, format
from newsletter.editorial.models import Briefing
from newsletter.errors import NewsletterError, Refused
from newsletter.issues import choosing, issues, ranks
from newsletter.issues.arranging import Arrangement
from newsletter.issues.issues import IssueView


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became different in an issue; `renewed` are items that came in with other words, which were approved."""

    issue: IssueView
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    moved: bool = False
    intro: bool = False

    def __bool__(self) -> bool:
        """Return whether anything is different."""
        return bool(self.added or self.dropped or self.renewed or self.moved or self.intro)


def recompose(
    session: Session, issue_id: int, picks: Sequence[str], *, intro: str | None = None, actor: str, now: datetime
) -> Change:
    """Give an issue these briefings with the texts that are approved now, and return what is different by that.

    Words that somebody wrote stay. An item whose approval is void keeps the text that it had; an `intro` of None too.
    """
    before = {item.briefing_id: item.sha256 for item in issues.items(session, issue_id)}
    renewed = tuple(
        each for each in picks if each in before and _approved(session, each, now) not in ("", before[each])
    )
    added = tuple(each for each in picks if each not in before)
    dropped = tuple(each for each in before if each not in picks)
    there = [each for each in before if each not in dropped]
    moved = there != [each for each in picks if each in before]
    found = issues.get(session, issue_id)
    said = {} if intro is None or intro.strip() == found.intro else {"intro": intro}
    change = Change(issue=found, added=added, dropped=dropped, renewed=renewed, moved=moved, intro=bool(said))
    if change:
        wish = Arrangement(drop=(*dropped, *renewed), add=(*added, *renewed), order=tuple(picks))
        arrangement = wish if added or dropped or renewed or moved else Arrangement()
        found = issues.edit(session, issue_id, changes=said, arrangement=arrangement, actor=actor, now=now)
    return Change(issue=found, added=added, dropped=dropped, renewed=renewed, moved=moved, intro=bool(said))


def _approved(session: Session, briefing: str, now: datetime) -> str:
    """Return the hash by which an issue may bring a briefing now, empty where it may not."""
    try:
        return choosing.require(session, briefing, now=now).sha256
    except Refused:
        return ""


def version(session: Session, issue_id: int) -> str:
    """Return a word that differs whenever a briefing, a rank or the issue does, so that nothing is done in between."""
    rows = session.exec(select(Briefing.id, Briefing.state, Briefing.sha256).order_by(col(Briefing.id))).all()
    seen = repr((rows, sorted(ranks.all(session).items(), key=lambda each: each[0]), issues.get(session, issue_id)))
    return hashlib.sha256(seen.encode("utf-8", "backslashreplace")).hexdigest()


def differing(session: Session, issue_id: int, folder: Path) -> list[str]:
    """Return the files of an issue's items that say other words than the approved ones, which the issue has."""
    found = []
    for item in issues.items(session, issue_id):
        path = files.of(folder, item.briefing_id)
        try:
            if path.is_file() and format.sha256(format.parse(files.read(path), where=str(path))) != item.sha256:
                found.append(path.name)
        except NewsletterError:  # half written: certainly not the approved words
            found.append(path.name)
    return found
