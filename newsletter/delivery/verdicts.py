"""What a permanent refusal costs an address, taking that back where it was not at fault, and what readers say."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, case, func, literal, null, or_, select, update
from sqlmodel import Session

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.replies import Fault
from newsletter.delivery.results import EXPIRED, MAY_HAVE_IT, RESENT
from newsletter.delivery.tables import AUDIENCE, DELIVERY, SUBSCRIBER, SUPPRESSION
from subscribers import suppressions
from subscribers.models import SuppressionReason

#: What can turn out to be the issue's or the relay's fault, each also with the words for a copy in doubt.
_FAULTS = (Fault.CONTENT.value, Fault.ADDRESS.value, EXPIRED)
_DOUBTFUL = tuple(fault + MAY_HAVE_IT for fault in _FAULTS)
_PUT_OFF = (Fault.POLICY.value, RESENT)
_BY = "the breaker"


def suppress(session: Session, issue_id: int, deliveries: Sequence[int], *, now: datetime) -> None:
    """Keep mail from the addresses of these deliveries, which a relay called dead."""
    if not deliveries:
        return
    dead = (
        select(SUBSCRIBER.c.email, DELIVERY.c.reply)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
        .where(DELIVERY.c.id.in_(deliveries))
    )
    for email, reply in session.execute(dead).all():
        suppressions.bounce(session, email, issue_id=issue_id, reply=reply, now=now)


def take_back(session: Session, issue_id: int, deliveries: Collection[int], *, now: datetime) -> None:
    """Let readers wait for nothing whose recorded refusal was not theirs, and withdraw what it cost their addresses."""
    refused = (
        DELIVERY.c.issue_id == issue_id,
        DELIVERY.c.id.in_(deliveries),
        or_(
            and_(DELIVERY.c.state == DeliveryState.FAILED, DELIVERY.c.reason.in_((*_FAULTS, *_DOUBTFUL))),
            and_(DELIVERY.c.state == DeliveryState.DEFERRED, DELIVERY.c.reason.in_(_PUT_OFF)),
        ),
    )
    whose = select(SUBSCRIBER.c.email_key).join(DELIVERY, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id).where(*refused)
    keys = list(session.scalars(whose))
    waits = update(DELIVERY).where(*refused).values(
        state=DeliveryState.PENDING,
        reason=case(
            (DELIVERY.c.reason.in_(_DOUBTFUL), literal(RESENT)),
            (DELIVERY.c.reason == EXPIRED, literal(Fault.POLICY.value)),
            else_=DELIVERY.c.reason,
        ),
        attempts=DELIVERY.c.attempts - 1,
        batch_id=null(),
        due_at=null(),
        changed_at=now,
    )  # fmt: skip
    session.execute(waits)
    suppressions.withdraw(session, keys, issue_id=issue_id, by=_BY, now=now)


def complaints(session: Session, issue_id: int) -> tuple[int, int]:
    """Return how many readers have the issue, and how many of them called it spam since it was planned."""
    has = (DELIVERY.c.issue_id == issue_id, DELIVERY.c.state == DeliveryState.SENT)
    said = (
        select(func.count(DELIVERY.c.id.distinct()))
        .join_from(SUPPRESSION, SUBSCRIBER, SUBSCRIBER.c.email_key == SUPPRESSION.c.email_key)
        .join(DELIVERY, DELIVERY.c.subscriber_id == SUBSCRIBER.c.id)
        .join(AUDIENCE, AUDIENCE.c.issue_id == DELIVERY.c.issue_id)
        .where(*has, SUPPRESSION.c.reason == SuppressionReason.COMPLAINT, SUPPRESSION.c.at >= AUDIENCE.c.planned_at)
    )
    complained: int = session.execute(said).scalar_one()
    if not complained:
        return 0, 0
    sent: int = session.execute(select(func.count()).where(*has)).scalar_one()
    return sent, complained
