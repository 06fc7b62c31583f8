"""History for conditions: who received an issue, and what came back from whom."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Column, ColumnElement, or_, select

from newsletter.delivery.models import Delivery, DeliveryState
from newsletter.feedback.models import Click, ClickBy, Event, EventKind
from newsletter.issues.models import Issue
from subscribers import upsert
from subscribers.history import Fact, Known, Occasion

_DELIVERY, _EVENT, _ISSUE = upsert.table(Delivery), upsert.table(Event), upsert.table(Issue)
_CLICK = upsert.table(Click)


def _received(occasion: Occasion) -> Known:
    rows = select(_DELIVERY.c.subscriber_id).where(
        _DELIVERY.c.state == DeliveryState.SENT, _DELIVERY.c.subscriber_id.is_not(None),
        *_at(occasion, _DELIVERY.c.issue_id, _DELIVERY.c.changed_at),
    )  # fmt: skip
    if occasion.since is not None and occasion.issue is None:
        # An issue is closed after its last copy: an index of deliveries by issue serves, and one by time is not needed.
        closed = or_(_ISSUE.c.sent_at.is_(None), _ISSUE.c.sent_at >= occasion.since)
        rows = rows.where(_DELIVERY.c.issue_id.in_(select(_ISSUE.c.id).where(closed).correlate(None)))
    one = occasion.issue is not None
    return Known(ids=rows, once=one, ordered=one, wide=True)


def _clicked(occasion: Occasion) -> Known:
    """Return whose clicks are a person's, as far as the desk can tell."""
    rows = select(_CLICK.c.subscriber_id).where(
        _CLICK.c.by == ClickBy.HUMAN, _CLICK.c.subscriber_id.is_not(None),
        *_at(occasion, _CLICK.c.issue_id, _CLICK.c.at),
    )  # fmt: skip
    timed = occasion.since is not None or occasion.until is not None
    return Known(ids=rows, ordered=occasion.issue is not None and not timed)


def _came_back(kind: EventKind) -> Fact:
    def known(occasion: Occasion) -> Known:
        rows = select(_EVENT.c.subscriber_id).where(
            _EVENT.c.kind == kind, _EVENT.c.subscriber_id.is_not(None),
            *_at(occasion, _EVENT.c.issue_id, _EVENT.c.at),
        )  # fmt: skip
        timed = occasion.since is not None or occasion.until is not None
        return Known(ids=rows, ordered=occasion.issue is not None and not timed)

    return known


def _at(occasion: Occasion, issue: Column[int], moment: Column[object]) -> Iterator[ColumnElement[bool]]:
    if occasion.issue is not None:
        yield issue == occasion.issue
    if occasion.since is not None:
        yield moment >= occasion.since
    if occasion.until is not None:
        yield moment < occasion.until


#: Every fact that the desk keeps, by the word for it.
FACTS: Mapping[str, Fact] = {
    "received": _received,
    **{
        kind.value: _came_back(kind)
        for kind in EventKind
        if kind not in (EventKind.AUTO_REPLIED, EventKind.CLICKED)
    },
    "clicked": _clicked,
}  # fmt: skip
