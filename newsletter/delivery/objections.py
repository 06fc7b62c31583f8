"""What speaks against a planned copy by now: asked when its batch is claimed, and again right before its message."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, case, exists, func, literal, or_, select, type_coerce

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
    return func.coalesce(
        _suppression(SUPPRESSION.c.list_id.is_(None)), _suppression(SUPPRESSION.c.list_id == DELIVERY.c.list_id)
    )


def _suppression(where: ColumnElement[bool]) -> ColumnElement[Any]:
    return (
        select(literal("suppressed: ") + type_coerce(SUPPRESSION.c.reason, String))
        .where(SUPPRESSION.c.email_key == SUBSCRIBER.c.email_key, SUPPRESSION.c.lifted_at.is_(None), where)
        .correlate(DELIVERY, SUBSCRIBER)
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
    # Asked first, as it is cheap: most readers want every issue.
    wants_less = or_(SUBSCRIBER.c.frequency != Frequency.EVERY_ISSUE, SUBSCRIBER.c.paused_until.is_not(None))
    digest = exists().where(_ISSUE.c.id == DELIVERY.c.issue_id, frequency.DIGEST).correlate(DELIVERY)
    return case((and_(wants_less, digest), reason), else_=literal(""))


def _reason() -> ColumnElement[str]:
    left = case((~_confirmed(), literal("unsubscribed")), else_=_too_soon())
    return case((DELIVERY.c.subscriber_id.is_(None), literal("erased")), else_=func.coalesce(_suppressed(), left))


#: The expression, over a delivery and its subscriber, of why it must not go out; empty where it may.
REASON = _reason()
