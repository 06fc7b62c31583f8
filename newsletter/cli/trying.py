"""Test copies and dry runs of an issue, for `newsletter send`."""

from pathlib import Path

from newsletter.cli import desk, onward, output
from newsletter.delivery import trials
from newsletter.delivery.replies import Kind
from newsletter.delivery.sending import Order
from newsletter.editorial.models import Role
from newsletter.errors import Refused, RelayError
from newsletter.issues import issues
from newsletter.issues.issues import IssueView
from newsletter.issues.models import IssueState
from newsletter.rendering import press
from newsletter.words import counted

#: Who may see an issue go, to a few addresses or into a folder; the readers' copies are a sender's to give.
TRIES = (Role.SENDER, Role.EDITOR)


def _verified(here: desk.Desk, issue: int) -> None:
    """Refuse a trial of words that were approved once and are so no more."""
    here.look()
    with here.read() as session:
        if issues.get(session, issue).state not in issues.PUBLISHED:
            issues.verify(session, issue, now=here.now)


def _require_to_come(found: IssueView) -> None:
    """Refuse to count whom an issue would go to that goes to nobody any more."""
    if found.state in (IssueState.SENT, IssueState.CANCELLED):
        raise Refused(f"issue {found.id} is {issues.standing(found.state)}. {issues.next_step(found)}")


def test(here: desk.Desk, issue: int, addresses: list[str], *, as_: str, as_json: bool) -> None:
    """Send a test copy to a few addresses, and tell what the relay said of each."""
    here.may(as_, *TRIES)
    _verified(here, issue)
    try:
        with here.read() as session:
            results = trials.send(session, here.settings, issue, addresses, keyring=here.keyring, now=here.now)
    except RelayError as error:
        raise RelayError(onward.mend(error, "run the same command again"), temporary=error.temporary) from error
    refused = sum(outcome.kind is not Kind.SENT for _, outcome in results)
    with here.acting(as_, *TRIES) as act:
        act.record("tested", "issue", issue, copies=len(results), refused=refused)
    if as_json:
        output.emit([{"address": to, "outcome": outcome.kind, "reply": outcome.reply} for to, outcome in results])
    else:
        for to, outcome in results:
            output.say(f"{to}: {outcome.kind} ({outcome.reply})")
    if refused:
        raise Refused("not every test copy was taken; the relay's words stand above")


def dry_run(here: desk.Desk, issue: int, order: Order, folder: Path | None, *, as_: str, as_json: bool) -> None:
    """Count whom an issue would go to, and with a folder write every message into it; the count is kept."""
    here.may(as_, *TRIES)
    _verified(here, issue)
    with here.read() as session:
        _require_to_come(issues.get(session, issue))
    terms = {"lists": order.lists, "segments": order.segments}
    if folder:
        trials.require_empty(folder)
    with here.acting(as_, *TRIES) as act:
        if folder:
            press.load(act.session, issue)
        size = trials.rehearse(act.session, issue, **terms, actor=act.who, now=act.now)
    written = 0
    if folder:
        with here.read() as session:
            keyring, now = here.keyring, act.now
            written = trials.write(session, here.settings, issue, folder, keyring=keyring, now=now, **terms)
    if as_json:
        output.emit({
            "issue": issue, "audience": size.readers, "skipped": size.held, "messages": written, "folder": folder,
        })  # fmt: skip
    else:
        held = f"; {size.fewer}" if size.held else ""
        readers = counted(size.readers, "reader")
        told = f"{counted(written, 'message')} in {folder}, for {readers}" if folder else f"{readers} would get it"
        output.say(f"{told}{held}; nothing was sent")
