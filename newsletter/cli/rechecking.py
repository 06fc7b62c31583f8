"""The look at sources that commands take by themselves: before an issue is fixed or leaves, and after an approval."""

from collections.abc import Collection
from datetime import timedelta

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
        look(here, found.items, aloud=True)


def look(here: desk.Desk, ids: Collection[str], *, aloud: bool = False) -> None:
    """Look at the sources of briefings, unless that was done lately or the settings want none; `aloud` tells."""
    lately = timedelta(minutes=here.settings.discovery.recheck)
    if not lately or not ids:
        return
    with output.progress("sources") as tell:
        rechecks.look(here.engine, ids, here.settings, since=here.now - lately, now=here.now, tell=tell)
    if not aloud:
        return
    with here.read() as session:
        made = [each for id in ids for each in rechecks.found(session, briefings.get(session, id))]
    for each in made:
        if each.change in _GRAVE:
            output.note(f"warning: {each.briefing}, source {each.source}, {each.name}: {each.change} ({each.told})")
