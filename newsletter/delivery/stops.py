"""Why an issue is paused, for whatever goes on by itself."""

from sqlalchemy import select, update
from sqlmodel import Session

from newsletter.delivery.models import Ask, Stop
from newsletter.delivery.tables import AUDIENCE
from newsletter.errors import Refused
from newsletter.issues import issues


def lock(session: Session, issue_id: int) -> None:
    """Let nobody else take the issue, stop it or ask anything of its sender until the transaction ends."""
    issues.row(session, issue_id, lock=True)  # before the audience, as planning does: the other order can deadlock
    session.execute(select(AUDIENCE.c.issue_id).where(AUDIENCE.c.issue_id == issue_id).with_for_update())


def of(session: Session, issue_id: int) -> Stop:
    """Return why the issue stopped last."""
    found = session.execute(select(AUDIENCE.c.stop).where(AUDIENCE.c.issue_id == issue_id)).scalar()
    return Stop(found or "")


def ask_of(session: Session, issue_id: int) -> Ask:
    """Return what a person asks of the issue's sender, which nobody has answered yet."""
    found = session.execute(select(AUDIENCE.c.ask).where(AUDIENCE.c.issue_id == issue_id)).scalar()
    return Ask(found or "")


def require_wanted(session: Session, issue_id: int) -> None:
    """Refuse an issue that somebody gave up when it had a sender, which did not live to hear of it."""
    if ask_of(session, issue_id) is Ask.CANCEL:
        raise Refused(
            f"issue {issue_id} is to be cancelled, as {asked_by(session, issue_id)} asked; do so: newsletter issues "
            f"cancel {issue_id}, or take that back: newsletter resume {issue_id}"
        )


def write(session: Session, issue_id: int, stop: Stop, *, ask: Ask = Ask.NONE) -> None:
    """Keep why the issue stopped; what was asked of its sender is answered by that, but for an `ask` that stands."""
    session.execute(update(AUDIENCE).where(AUDIENCE.c.issue_id == issue_id).values(stop=stop, ask=ask))


def asked_by(session: Session, issue_id: int) -> str:
    """Return who asked something of the issue's sender last."""
    found: str = session.execute(select(AUDIENCE.c.asked_by).where(AUDIENCE.c.issue_id == issue_id)).scalar() or ""
    return found
