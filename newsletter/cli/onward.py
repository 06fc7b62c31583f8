"""How a send goes on that stopped, and what can be done about a relay that refused: the next steps beside a reason."""

from datetime import datetime

from sqlmodel import Session

from newsletter.cli import desk
from newsletter.delivery import relays
from newsletter.delivery.models import Stop
from newsletter.delivery.report import Status
from newsletter.delivery.rounds import PASSES
from newsletter.issues import corrections
from newsletter.issues.models import IssueState
from newsletter.settings import FILE, Settings

#: Pauses whose reason does not name the way on itself.
_BARE = (Stop.RELAY, Stop.INTERRUPTED, Stop.WAITING)


def mend(reason: object, then: str) -> str:
    """Return why a relay cannot be used, with what can be done about it."""
    return f"{reason}. Correct [[relay]] in {FILE} if it is wrong (newsletter relays test), then {then}"


def command(session: Session, issue: int) -> str:
    """Return the command that goes on with an issue."""
    carried = corrections.carried(session, issue)
    return f"newsletter corrections send {carried.id}" if carried else f"newsletter send {issue}"


def told(here: desk.Desk, status: Status) -> str:
    """Return how a paused issue goes on, by a person's word and by itself; empty where its reason says so."""
    if status.state is not IssueState.PAUSED or status.stop not in _BARE:
        return ""
    with here.read() as session:
        return f"Go on: {command(session, status.issue)}; {_by_itself(session, here.settings, status, here.now)}"


def _by_itself(session: Session, settings: Settings, status: Status, now: datetime) -> str:
    since = _since(session, settings, now) if status.stop is Stop.RELAY else status.next_due or now
    if since is None:
        return "newsletter deliver leaves it alone, as its relays refused for good"
    return f"newsletter deliver tries again by itself{f' from {since:%Y-%m-%d %H:%M} UTC' if since > now else ''}"


def _since(session: Session, settings: Settings, now: datetime) -> datetime | None:
    """Return from when any relay is tried again, None where all refused for good."""
    against = relays.troubles(session)
    found = [against.get(each.name) for each in settings.relay]
    moments = [each.changed_at + PASSES if each else now for each in found if each is None or each.temporary]
    return min(moments, default=None)
