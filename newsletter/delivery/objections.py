"""What speaks against a planned copy by now: asked when its batch is claimed, and again right before its message."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, case, exists, literal, or_, select, type_coerce

from newsletter.delivery import frequency
from newsletter.delivery.tables import DELIVERY, SUBSCRIBER, SUBSCRIPTION, SUPPRESSION
from newsletter.issues.models import Issue
from subscribers.models import Frequency, SubscriptionState
from subscribers.upsert import table

_ISSUE = table(Issue)


def at(now: datetime) -> dict[str, Any]:
    """Return the parameters that REASON needs of whoever executes it."""
    return {"now": now, **{_parameter(word): after for word, after in frequency.since(now).items()}}


def _parameter(word: Frequency) -> str:
    return f"{word.value}_since"


def _suppressed() -> ColumnElement[Any]:
    """Return the reason why the address must not be mailed at all, else that for the list which brings the copy."""
    everywhere = SUPPRESSION.c.list_id.is_(None)
    return (
        select(literal("suppressed: ") + type_coerce(SUPPRESSION.c.reason, String))
        .join(SUBSCRIBER, SUBSCRIBER.c.email_key == SUPPRESSION.c.email_key)
        .where(SUBSCRIBER.c.id == DELIVERY.c.subscriber_id, SUPPRESSION.c.lifted_at.is_(None))
        .where(or_(everywhere, SUPPRESSION.c.list_id == DELIVERY.c.list_id))
        .order_by(everywhere.desc())
        .limit(1)
        .correlate(DELIVERY)
        .scalar_subquery()
    )


def _confirmed() -> ColumnElement[bool]:
    return (
        exists()
        .where(
            SUBSCRIPTION.c.list_id == DELIVERY.c.list_id,
            SUBSCRIPTION.c.subscriber_id == DELIVERY.c.subscriber_id,
            SUBSCRIPTION.c.state == SubscriptionState.CONFIRMED,
        )
        .correlate(DELIVERY)
    )


def _too_soon() -> ColumnElement[Any]:
    """Return why the reader waits for a later issue: they paused, or had another since this one was planned."""
    moment = DELIVERY.c.changed_at.type
    since = {word: bindparam(_parameter(word), type_=moment) for word in frequency.ENOUGH}
    reason = frequency.reason(
        SUBSCRIBER.c.frequency, SUBSCRIBER.c.id, DELIVERY.c.issue_id, states=frequency.HAD, since=since,
        paused=SUBSCRIBER.c.paused_until > bindparam("now", type_=moment),
    )  # fmt: skip
    asked = select(reason).where(SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
    return asked.where(_ISSUE.c.id == DELIVERY.c.issue_id, frequency.DIGEST).correlate(DELIVERY).scalar_subquery()


def _reason() -> ColumnElement[str]:
    suppressed = _suppressed()
    return case(
        (DELIVERY.c.subscriber_id.is_(None), literal("erased")),
        (suppressed.is_not(None), suppressed),
        (~_confirmed(), literal("unsubscribed")),
        else_=_too_soon(),
    )


#: The expression, over a delivery, of why it must not go out; empty where it may.
REASON = _reason()
