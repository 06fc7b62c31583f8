"""The look at sources that commands take by themselves: before an issue is fixed or leaves, and after an approval."""

from collections.abc import Collection
from datetime import datetime, timedelta

from newsletter.cli import desk, output
from newsletter.editorial import briefings, rechecks
from newsletter.editorial.rechecks import Change
from newsletter.issues import issues
from newsletter.issues.models import IssueState

_GRAVE = (Change.CORRECTED, Change.CHANGED, Change.UNSEEN)


def before(here: desk.Desk, issue: int) -> None:
    """Look at the sources of an issue that is not on its way yet, unless that was done lately, and tell what changed.

    What is gone is told by whoever refuses the issue for it.
    """
    with here.read() as session:
        found = issues.get(session, issue)
    if found.state in (IssueState.ASSEMBLING, IssueState.FROZEN, IssueState.CLEARED):
        lately = timedelta(minutes=here.settings.discovery.recheck)
        look(here, found.items, since=here.now - lately)
        _tell(here, found.items)


def look(here: desk.Desk, ids: Collection[str], *, since: datetime) -> None:
    """Look at the sources of briefings that nobody has looked at since a moment, unless the settings want no looks."""
    if here.settings.discovery.recheck and ids:
        with output.progress("sources") as tell:
            rechecks.look(here.engine, ids, here.settings, since=since, now=here.now, tell=tell)


def _tell(here: desk.Desk, ids: Collection[str]) -> None:
    if not here.settings.discovery.recheck:
        return
    with here.read() as session:
        made = [each for id in ids for each in rechecks.found(session, briefings.get(session, id))]
    for each in made:
        if each.change in _GRAVE:
            output.note(f"warning: {each.briefing}, source {each.source}, {each.name}: {each.change} ({each.told})")
