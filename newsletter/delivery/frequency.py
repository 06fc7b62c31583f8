"""How often a reader wants mail: whoever paused, or had an issue lately, is left out of the next."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, literal, or_, select

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY
from newsletter.issues.models import Issue, IssueKind
from subscribers.columns import among
from subscribers.models import Frequency
from subscribers.upsert import table

#: How long one issue is enough. Less than the word says, or a weekly issue that leaves an hour early would be missed.
ENOUGH = {Frequency.WEEKLY: timedelta(days=6), Frequency.MONTHLY: timedelta(days=27)}
#: States of a copy that its reader has, or may have.
HAD = (DeliveryState.SENT, DeliveryState.UNKNOWN)
#: The same, and of copies that are about to leave.
COMING = (*HAD, DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.DEFERRED)

#: The reason where a reader wants no mail at all until some day.
PAUSED = "paused"

_ISSUE = table(Issue)
_OTHER = DELIVERY.alias("other")
#: What counts, and what has to wait: a correction is no issue that anybody had too many of.
DIGEST = _ISSUE.c.kind == IssueKind.DIGEST


def since(now: datetime) -> dict[Frequency, datetime]:
    """Return the moment after which a copy of another issue counts, for each frequency that asks."""
    return {word: now - enough for word, enough in ENOUGH.items()}


def reason(
    wants: ColumnElement[Any],
    subscriber: ColumnElement[Any],
    issue: ColumnElement[Any],
    *,
    states: tuple[DeliveryState, ...],
    since: Mapping[Frequency, ColumnElement[Any]],
    paused: ColumnElement[bool],
) -> ColumnElement[str]:
    """Return the expression of why a reader waits for a later issue than this, empty where they do not."""

    def has(after: ColumnElement[Any]) -> ColumnElement[bool]:
        copy = (_OTHER.c.subscriber_id == subscriber, _OTHER.c.issue_id != issue, among(_OTHER.c.state, *states))
        # Named so that a long past need not be read: an issue is closed after the last of its copies.
        lately = select(_ISSUE.c.id).where(DIGEST, or_(_ISSUE.c.sent_at.is_(None), _ISSUE.c.sent_at > after))
        return (
            exists().where(*copy, _OTHER.c.changed_at > after, _OTHER.c.issue_id.in_(lately)).correlate_except(_OTHER)
        )

    cases = [(and_(wants == word, has(after)), literal(f"frequency: {word}")) for word, after in since.items()]
    return case((paused, literal(PAUSED)), *cases, else_=literal(""))
