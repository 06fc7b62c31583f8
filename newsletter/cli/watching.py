"""An issue kept up to date while somebody edits, for `newsletter compose --watch`."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from newsletter.cli import desk, output, texts
from newsletter.editorial.models import Role
from newsletter.errors import NewsletterError
from newsletter.issues import issues, recomposing
from newsletter.issues.issues import IssueView
from newsletter.issues.models import IssueState
from newsletter.issues.recomposing import Change
from newsletter.issues.selecting import Selection

#: How many seconds pass between two looks.
PAUSE = 0.5
#: What an issue takes, for an issue that is there already.
Choose = Callable[[Session, int, datetime], Selection]


def watch(here: desk.Desk, issue: IssueView, choose: Choose, intro: Path | None, *, who: str) -> None:
    """Recompose an issue whenever a file or an approval changed, and say what is different, until Ctrl-C or a freeze.

    Files are looked at and not recorded: an edit voids nothing until somebody hands it in, or another command looks.
    """
    output.note(f"Watching issue {issue.id}; stop with Ctrl-C")
    seen: tuple[str, ...] = ()
    told: list[str] = []
    try:
        while (found := _state(here, issue.id)) is IssueState.ASSEMBLING:
            if seen != (seen := _version(here, issue.id, intro)):
                _once(here, issue.id, choose, intro, who, told)
            sys.stdout.flush()  # also where somebody reads it through a pipe
            time.sleep(PAUSE)
        output.say(f"Issue {issue.id} is {issues.standing(found)}, and stays as it is")
    except KeyboardInterrupt:
        output.say(f"Issue {issue.id} stays as it is. Freeze it: newsletter issues freeze {issue.id}")


def _state(here: desk.Desk, issue: int) -> IssueState:
    with here.read() as session:
        return issues.get(session, issue).state


def _version(here: desk.Desk, issue: int, intro: Path | None) -> tuple[str, ...]:
    with here.read() as session:
        stored = recomposing.version(session, issue)
    return (stored, *_stats([*sorted(here.settings.briefings.glob("*.md")), *filter(None, [intro])]))


def _stats(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        try:
            told = path.stat()
        except OSError:
            continue  # gone since it was listed, or being replaced
        yield f"{path}:{told.st_mtime_ns}:{told.st_size}"


def _once(here: desk.Desk, issue: int, choose: Choose, intro: Path | None, who: str, told: list[str]) -> None:
    """Recompose the issue once; what goes wrong is said, and the next change tries again."""
    try:
        words = texts.read(intro, "--intro") if intro else None
        with here.acting(who, Role.EDITOR) as act:
            if issues.get(act.session, issue).state is not IssueState.ASSEMBLING:
                return
            chosen = choose(act.session, issue, act.now)
            if not chosen.picks:
                output.note(f"note: nothing that may go into issue {issue} is approved now; it stays as it is")
                return
            change = recomposing.recompose(act.session, issue, chosen.picks, intro=words, actor=act.who, now=act.now)
        _tell(change, chosen)
    except NewsletterError as error:
        output.note(f"note: issue {issue} stays as it is: {error}")
    _files(here, issue, told)


def _tell(change: Change, chosen: Selection) -> None:
    for briefing in change.added:
        output.say(f"  + {briefing}")
    for briefing in change.dropped:
        why = f": {chosen.left[briefing]}" if briefing in chosen.left else ""
        output.say(f"  - {briefing}{why}")
    for briefing in change.renewed:
        output.say(f"  ~ {briefing}: with the words that were approved now")
    if change.intro:
        output.say("  ~ the intro")
    if change:
        output.say(f"Issue {change.issue.id}: {change.issue.subject} ({', '.join(change.issue.items)})")


def _files(here: desk.Desk, issue: int, told: list[str]) -> None:
    """Say which files differ from what the issue has, once for each time that it comes to be so."""
    with here.read() as session:
        differ = recomposing.differing(session, issue, here.settings.briefings)
    for name in differ:
        if name not in told:
            output.say(f"  {name} differs from its approved text, which the issue keeps until that is approved anew")
    told[:] = differ
