"""Copies: what one known reader gets of an issue, without a trace in the ledger."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select
from sqlmodel import Session

from newsletter.delivery import making, message, readers
from newsletter.delivery.message import Envelope
from newsletter.delivery.results import UNMATCHED
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER, SUBSCRIPTION
from newsletter.errors import NotFound, Refused
from newsletter.rendering.rendered import Rendered
from newsletter.settings import Settings
from subscribers import addresses
from subscribers.models import SubscriptionState
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One reader's issue: as they see it, and as it leaves."""

    rendered: Rendered
    envelope: Envelope


def of(
    session: Session,
    settings: Settings,
    issue_id: int,
    email: str,
    *,
    rendered: Rendered,
    keyring: Keyring,
    now: datetime,
) -> Copy:
    """Return the reader's copy of a rendering, by the list that brings or brought it, else by their first.

    NotFound where nobody has the address on a list; Refused where the issue would leave the reader out.
    """
    person = select(SUBSCRIBER.c.id).where(SUBSCRIBER.c.email_key == addresses.parse(email).key)
    brought = select(DELIVERY.c.list_id).where(DELIVERY.c.issue_id == issue_id, DELIVERY.c.subscriber_id.in_(person))
    query = (
        select(*readers.COLUMNS)
        .join_from(SUBSCRIPTION, SUBSCRIBER, SUBSCRIBER.c.id == SUBSCRIPTION.c.subscriber_id)
        .join(LIST, LIST.c.id == SUBSCRIPTION.c.list_id)
        .where(SUBSCRIBER.c.id.in_(person), SUBSCRIPTION.c.state == SubscriptionState.CONFIRMED)
        .order_by(case((LIST.c.id.in_(brought), 0), else_=1), LIST.c.id)
        .limit(1)
    )
    lookup = readers.lookup(session, rendered.personal.needs, now=now)
    found = readers.read(session, session.execute(query).all(), lookup)
    if not found:
        raise NotFound(
            f"nobody with the address {email} is confirmed on a list; see who is: newsletter subscribers show {email}"
        )
    (reader,) = found
    if not rendered.personal.concerns(reader.traits):
        raise Refused(f"{email} gets no copy of issue {issue_id}: {UNMATCHED}, and it is composed to leave them out")
    head = message.masthead(settings, issue_id, subject=rendered.subject, date=now, keyring=keyring)
    body = making.bodies(issue_id, rendered).of(reader)
    return Copy(rendered=message.own(head, rendered, reader), envelope=message.assemble(head, body, reader))
