"""The difference between an audience and its dry run: who is new since, who is gone, and why as far as it is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    case,
    except_,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)  # fmt: skip
from sqlmodel import Session

from newsletter.delivery import audiences, frequency, rehearsals
from newsletter.delivery.models import DeliveryState
from newsletter.delivery.rehearsals import RehearsalView
from newsletter.delivery.tables import DELIVERY, REHEARSED, SUBSCRIBER, SUBSCRIPTION, SUPPRESSION
from newsletter.errors import Refused
from subscribers import lists as mailing_lists
from subscribers import segments as conditions
from subscribers.models import Frequency, SubscriptionState

#: How many readers of each kind are named.
SHOWN = 10

Numbers = Select[int] | CompoundSelect[int]


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One reader who is new in the audience, or gone from it; the reason is empty where none is known."""

    subscriber: int
    email: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How many are new and gone since a dry run, with the first of each; of the erased nothing else is known."""

    since: RehearsalView
    new: int
    gone: int
    erased: int
    newcomers: tuple[Moved, ...]
    leavers: tuple[Moved, ...]

    def __bool__(self) -> bool:
        """Return whether anybody is new or gone."""
        return bool(self.new or self.gone)

    def __str__(self) -> str:
        """Return it as a clause."""
        if not self:
            return f"the very readers of {self.since}"
        return f"{self.new} {_are(self.new)} new and {self.gone} {_are(self.gone)} gone since {self.since}"

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {
            "at": self.since.at, "audience": self.since.size, "new": self.new, "gone": self.gone,
            "erased": self.erased, "newcomers": self.newcomers, "leavers": self.leavers,
        }  # fmt: skip


def compare(
    session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], now: datetime
) -> Difference | None:
    """Return how the audience differs from its dry run, None where there was none for these lists and segments."""
    chosen = audiences.choose(session, issue_id, lists=lists, segments=segments, now=now).subquery()
    current = select(chosen.c.subscriber_id).where(chosen.c.reason == "")
    return _compare(session, issue_id, current, lists=lists, segments=segments, now=now)


def require_none(
    session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], now: datetime
) -> None:
    """Refuse unless the deliveries that are planned now are for the very readers that the dry run counted."""
    planned = select(DELIVERY.c.subscriber_id).where(
        DELIVERY.c.issue_id == issue_id, DELIVERY.c.state == DeliveryState.PENDING
    )
    found = _compare(session, issue_id, planned, lists=lists, segments=segments, now=now)
    words = " ".join([*(f"--list {name}" for name in lists), *(f"--segment {name}" for name in segments)])
    again = f"newsletter send {issue_id} {words} --count"
    if found is None:
        raise Refused(f"issue {issue_id} had no dry run for {words}; make one: {again}")
    if found:
        raise Refused(f"issue {issue_id} would not go to whom the dry run counted: {found}; count them anew: {again}")


def _compare(
    session: Session, issue_id: int, current: Numbers, *, lists: Sequence[str], segments: Sequence[str], now: datetime
) -> Difference | None:
    found = rehearsals.find(session, issue_id)
    if found is None or not lists or not found.is_for(lists, segments):  # without lists: those who have a briefing
        return None
    on = mailing_lists.ids_of(session, lists)
    matching = [conditions.where(session, name, now) for name in segments]
    then = select(REHEARSED.c.subscriber_id).where(REHEARSED.c.issue_id == issue_id)
    new, newcomers = _moved(session, except_(current, then), _why_new(on, found.at, narrowed=bool(segments)))
    gone, leavers = _moved(session, except_(then, current), _why_gone(issue_id, on, matching, now))
    erased = found.size - (session.scalar(select(func.count()).select_from(then.subquery())) or 0)
    return Difference(since=found, new=new, gone=gone + erased, erased=erased, newcomers=newcomers, leavers=leavers)


def _moved(session: Session, numbers: Numbers, reason: ColumnElement[str]) -> tuple[int, tuple[Moved, ...]]:
    """Return how many readers there are, and the first of them with the reason."""
    of = numbers.subquery()
    count = session.scalar(select(func.count()).select_from(of)) or 0
    first = (
        select(SUBSCRIBER.c.id.label("subscriber"), SUBSCRIBER.c.email, reason.label("reason"))
        .join_from(of, SUBSCRIBER, SUBSCRIBER.c.id == of.c.subscriber_id)
        .order_by(SUBSCRIBER.c.id)
        .limit(SHOWN)
    )
    return count, tuple(Moved(**row._mapping) for row in session.execute(first)) if count else ()


def _why_new(on: Sequence[int], since: datetime, *, narrowed: bool) -> ColumnElement[str]:
    """Return the expression, over a subscriber, of what brought them in after a dry run."""
    confirmed = _standing(on, SUBSCRIPTION.c.state == SubscriptionState.CONFIRMED, SUBSCRIPTION.c.changed_at > since)
    lifted = exists().where(SUPPRESSION.c.email_key == SUBSCRIBER.c.email_key, SUPPRESSION.c.lifted_at > since)
    always = SUBSCRIBER.c.frequency == Frequency.EVERY_ISSUE
    return case(
        (SUBSCRIBER.c.joined_at > since, literal("joined since")),
        (confirmed, literal("confirmed since")),
        (lifted.correlate(SUBSCRIBER), literal("no longer suppressed")),
        (always, literal("newly matches the segment" if narrowed else "")),
        else_=literal("" if narrowed else "due again"),
    )


def _why_gone(
    issue_id: int, on: Sequence[int], matching: Sequence[ColumnElement[bool]], now: datetime
) -> ColumnElement[str]:
    """Return the expression, over a subscriber, of what keeps them out now."""
    suppressed = (
        select(literal("suppressed: ") + type_coerce(SUPPRESSION.c.reason, String))
        .where(SUPPRESSION.c.email_key == SUBSCRIBER.c.email_key, SUPPRESSION.c.lifted_at.is_(None))
        .where(or_(SUPPRESSION.c.list_id.is_(None), SUPPRESSION.c.list_id.in_(on)))
        .order_by(SUPPRESSION.c.id)
        .limit(1)
        .correlate(SUBSCRIBER)
        .scalar_subquery()
    )
    moment = DELIVERY.c.changed_at.type
    since = {word: literal(after, moment) for word, after in frequency.since(now).items()}
    too_soon = frequency.reason(
        SUBSCRIBER.c.frequency, SUBSCRIBER.c.id, literal(issue_id), states=frequency.COMING, since=since,
        paused=SUBSCRIBER.c.paused_until > now,
    )  # fmt: skip
    unmatched = [(~or_(*matching), literal("no longer matches the segment"))] if matching else []
    return case(
        (~_standing(on, SUBSCRIPTION.c.state == SubscriptionState.CONFIRMED), literal("left")),
        (suppressed.is_not(None), suppressed),
        *unmatched,
        else_=too_soon,
    )


def _standing(on: Sequence[int], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a subscriber stands so on any of the lists."""
    here = (SUBSCRIPTION.c.subscriber_id == SUBSCRIBER.c.id, SUBSCRIPTION.c.list_id.in_(on))
    return exists().where(*here, *conditions).correlate(SUBSCRIBER)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
