"""Which relays refused for reasons of their own, kept for whoever looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select
from sqlmodel import Session

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY, RELAY_STATE, SUBSCRIBER
from newsletter.errors import RelayError
from newsletter.issues.models import Issue
from subscribers.upsert import table

ISSUE = table(Issue)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What a relay said when it was paused, and since when; `temporary` is what may pass by itself."""

    name: str
    reason: str
    temporary: bool
    changed_at: datetime


def note(session: Session, troubles: Mapping[str, RelayError | None], *, now: datetime) -> None:
    """Keep why relays were paused; None is for one that carries again."""
    session.execute(delete(RELAY_STATE).where(RELAY_STATE.c.name.in_(list(troubles))))
    rows = [
        {"name": name, "reason": str(error)[:2000], "temporary": error.temporary, "changed_at": now}
        for name, error in troubles.items()
        if error is not None
    ]
    if rows:
        session.execute(insert(RELAY_STATE), rows)


def troubles(session: Session) -> dict[str, Trouble]:
    """Return what stands against relays, by their names."""
    return {row.name: Trouble(**row._mapping) for row in session.execute(select(RELAY_STATE))}


def sent_since(session: Session, relay: str, since: datetime, *, domain: str = "") -> list[datetime]:
    """Return when a relay took the copies that it took after a moment, all of them or those to a domain."""
    # By issues, as deliveries have no index by time: an issue is closed after its last copy.
    lately = select(ISSUE.c.id).where(or_(ISSUE.c.sent_at.is_(None), ISSUE.c.sent_at > since))
    taken = (DELIVERY.c.state == DeliveryState.SENT, DELIVERY.c.relay == relay, DELIVERY.c.changed_at > since)
    found = select(DELIVERY.c.changed_at).where(DELIVERY.c.issue_id.in_(lately), *taken)
    if domain:
        there = SUBSCRIBER.c.email_key.endswith(f"@{domain}", autoescape=True)
        found = found.join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id).where(there)
    return list(session.scalars(found))
