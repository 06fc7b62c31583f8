"""The readers who have a briefing: whom a correction of it goes to, whatever brought it to them."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlmodel import Session

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.results import MAY_HAVE_IT
from newsletter.delivery.tables import DELIVERY, SUBSCRIBER, SUBSCRIPTION
from newsletter.errors import Refused
from newsletter.issues.models import Issue, IssueState, Item
from newsletter.words import counted
from subscribers import suppressions
from subscribers.models import SubscriptionState
from subscribers.upsert import table

_ISSUE, _ITEM = table(Issue), table(Item)
#: A copy of which nobody knows whether it arrived counts as one that did.
_MAY = or_(DELIVERY.c.state == DeliveryState.UNKNOWN, DELIVERY.c.reason.endswith(MAY_HAVE_IT, autoescape=True))


@dataclass(frozen=True, kw_only=True)
class Holders:
    """How many readers have a briefing; `doubtful` of them may have it, and `gone` have left, or must not be mailed."""

    readers: int
    doubtful: int
    gone: int

    def __str__(self) -> str:
        """Return it as a sentence has it."""
        had = f"{counted(self.readers, 'reader')} had it"
        doubt = f", {self.doubtful} of them perhaps" if self.doubtful else ""
        return f"{had}{doubt}; {self.gone} left since, or must not be mailed"


def choose(briefing: str) -> Select[tuple[int, int]]:
    """Return the query of (subscriber_id, list_id): who has the briefing and is on a list that brought it.

    Each reader once, by the first such list, less the suppressed.
    """
    stands = (
        SUBSCRIPTION.c.subscriber_id == DELIVERY.c.subscriber_id,
        SUBSCRIPTION.c.list_id == DELIVERY.c.list_id,
        SUBSCRIPTION.c.state == SubscriptionState.CONFIRMED,
    )
    return (
        select(DELIVERY.c.subscriber_id, func.min(DELIVERY.c.list_id).label("list_id"))
        .join_from(DELIVERY, SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
        .join(SUBSCRIPTION, SUBSCRIPTION.c.subscriber_id == DELIVERY.c.subscriber_id)
        .where(_has(briefing), *stands, ~suppressions.stands(DELIVERY.c.list_id))
        .group_by(DELIVERY.c.subscriber_id)
    )


def count(session: Session, briefing: str) -> Holders:
    """Return how many readers have a briefing, and how many of them cannot be told."""
    certain = select(DELIVERY.c.subscriber_id).where(_has(briefing), ~_MAY)
    everyone = select(func.count(DELIVERY.c.subscriber_id.distinct())).where(_has(briefing))
    doubtful = everyone.where(DELIVERY.c.subscriber_id.not_in(certain.where(DELIVERY.c.subscriber_id.is_not(None))))
    readers = session.scalar(everyone) or 0
    erased = session.scalar(select(func.count()).where(_has(briefing), DELIVERY.c.subscriber_id.is_(None))) or 0
    told = session.scalar(select(func.count()).select_from(choose(briefing).subquery())) or 0
    return Holders(readers=readers + erased, doubtful=session.scalar(doubtful) or 0, gone=readers + erased - told)


def require_settled(session: Session, briefing: str) -> None:
    """Refuse while an issue still brings the briefing to readers: they would not be told what was wrong with it."""
    coming = (
        select(_ISSUE.c.id, _ISSUE.c.state)
        .join(_ITEM, _ITEM.c.issue_id == _ISSUE.c.id)
        .where(_ITEM.c.briefing_id == briefing, _ISSUE.c.state.in_((IssueState.SENDING, IssueState.PAUSED)))
    )
    if found := session.execute(coming.order_by(_ISSUE.c.id)).first():
        raise Refused(
            f"issue {found.id} is {found.state} and still brings {briefing} to readers, who would not be told; let it "
            f"end, or give the rest of it up first: newsletter issues cancel {found.id}"
        )


def _has(briefing: str) -> ColumnElement[bool]:
    brought = select(_ITEM.c.issue_id).where(_ITEM.c.briefing_id == briefing)
    return DELIVERY.c.issue_id.in_(brought) & or_(DELIVERY.c.state == DeliveryState.SENT, _MAY)
