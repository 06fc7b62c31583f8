"""Tallies: what the tables say of one issue's copies, clicks and leavings, counted in the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select
from sqlmodel import Session

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY, LIST, SUBSCRIBER
from newsletter.feedback.clicks import CLICK
from newsletter.feedback.models import ClickBy, Event, EventKind
from newsletter.rendering import tracked
from subscribers import upsert

#: Whoever leaves so long after a copy, and before another, is counted as having left after it.
AFTER = timedelta(days=7)
#: Of how many domains, the largest first, a report tells.
DOMAINS = 10
_EVENT = upsert.table(Event)
_NEXT = DELIVERY.alias("next")
_SENT = DELIVERY.c.state == DeliveryState.SENT


def clicks(session: Session, issue_id: int) -> dict[ClickBy, tuple[int, int]]:
    """Return by whom links were followed: how many readers' copies, and how often."""
    query = (
        select(CLICK.c.by, func.count(CLICK.c.subscriber_id.distinct()), func.count())
        .where(CLICK.c.issue_id == issue_id, CLICK.c.number != tracked.CANARY)
        .group_by(CLICK.c.by)
    )
    found = {by: (readers, times) for by, readers, times in session.execute(query)}
    return {by: found.get(by, (0, 0)) for by in ClickBy}


def counted(session: Session, issue_id: int) -> int:
    """Return how many readers have the issue by a list that counts clicks, less those who refused it."""
    query = (
        select(func.count())
        .select_from(DELIVERY)
        .join(LIST, LIST.c.id == DELIVERY.c.list_id)
        .join(SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
        .where(DELIVERY.c.issue_id == issue_id, _SENT, LIST.c.track_clicks, ~SUBSCRIBER.c.uncounted)
    )
    return int(session.execute(query).scalar_one())


def links(session: Session, issue_id: int) -> dict[int, dict[ClickBy, int]]:
    """Return for each link that was followed how many readers' copies it was followed from, by whom."""
    query = (
        select(CLICK.c.number, CLICK.c.by, func.count(CLICK.c.subscriber_id.distinct()))
        .where(CLICK.c.issue_id == issue_id, CLICK.c.number != tracked.CANARY)
        .group_by(CLICK.c.number, CLICK.c.by)
    )
    found: dict[int, dict[ClickBy, int]] = {}
    for number, by, readers in session.execute(query):
        found.setdefault(number, dict.fromkeys(ClickBy, 0))[by] = readers
    return found


def happened(session: Session, issue_id: int, kind: EventKind) -> int:
    """Return of how many readers such a fact came back about their copy."""
    query = select(func.count(_EVENT.c.subscriber_id.distinct()))
    return int(session.execute(query.where(_EVENT.c.kind == kind, _EVENT.c.issue_id == issue_id)).scalar_one())


def left(issue_id: int) -> Select[Any]:
    """Return a query of who left the list that brought them the issue, within days and before they had another."""
    another = exists().where(
        _NEXT.c.subscriber_id == DELIVERY.c.subscriber_id, _NEXT.c.state == DeliveryState.SENT,
        _NEXT.c.changed_at > DELIVERY.c.changed_at, _NEXT.c.changed_at <= _EVENT.c.at,
    )  # fmt: skip
    same = and_(_EVENT.c.subscriber_id == DELIVERY.c.subscriber_id, _EVENT.c.list_id == DELIVERY.c.list_id)
    return (
        select(_EVENT.c.subscriber_id, func.min(_EVENT.c.at, type_=_EVENT.c.at.type).label("at"), DELIVERY.c.variant,
               func.min(DELIVERY.c.changed_at, type_=DELIVERY.c.changed_at.type).label("had"))
        .join_from(DELIVERY, _EVENT, same)
        .where(DELIVERY.c.issue_id == issue_id, _SENT, _EVENT.c.kind == EventKind.UNSUBSCRIBED, ~another)
        .where(_EVENT.c.at >= DELIVERY.c.changed_at)
        .group_by(_EVENT.c.subscriber_id, DELIVERY.c.variant)
    )  # fmt: skip


def leavings(session: Session, issue_id: int) -> list[tuple[datetime, int]]:
    """Return when each of them left, with the subject that their copy had."""
    return [(row.at, row.variant) for row in session.execute(left(issue_id)) if row.at - row.had < AFTER]


def moments(session: Session, issue_id: int) -> list[datetime]:
    """Return when each reader first followed a link, of those who are people as far as the desk can tell."""
    first = func.min(CLICK.c.at, type_=CLICK.c.at.type)
    query = select(first).where(CLICK.c.issue_id == issue_id, CLICK.c.by == ClickBy.HUMAN).group_by(
        CLICK.c.subscriber_id
    )  # fmt: skip
    return list(session.scalars(query))


def variants(session: Session, issue_id: int) -> dict[int, tuple[int, int]]:
    """Return for each subject to how many it was sent, and how many of them followed a link themselves."""
    human = exists().where(
        CLICK.c.issue_id == issue_id, CLICK.c.subscriber_id == DELIVERY.c.subscriber_id, CLICK.c.by == ClickBy.HUMAN
    )
    query = (
        select(DELIVERY.c.variant, func.count(), func.count().filter(human))
        .where(DELIVERY.c.issue_id == issue_id, _SENT)
        .group_by(DELIVERY.c.variant)
    )
    return {variant: (sent, followed) for variant, sent, followed in session.execute(query)}


def domains(session: Session, issue_id: int) -> Sequence[Any]:
    """Return the domains with most readers: audience, copies by state, bounces and clicks of people."""
    domain = _domain(session).label("domain")
    human = exists().where(
        CLICK.c.issue_id == issue_id, CLICK.c.subscriber_id == DELIVERY.c.subscriber_id, CLICK.c.by == ClickBy.HUMAN
    )
    bounced = exists().where(
        _EVENT.c.kind == EventKind.BOUNCED, _EVENT.c.issue_id == issue_id,
        _EVENT.c.subscriber_id == DELIVERY.c.subscriber_id,
    )  # fmt: skip
    states = [
        func.count().filter(DELIVERY.c.state == state).label(state.value)
        for state in (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DEFERRED, DeliveryState.SKIPPED)
    ]
    query = (
        select(domain, func.count().label("audience"), *states, func.count().filter(bounced).label("bounced"),
               func.count().filter(human).label("clicked"))
        .join_from(DELIVERY, SUBSCRIBER, SUBSCRIBER.c.id == DELIVERY.c.subscriber_id)
        .where(DELIVERY.c.issue_id == issue_id)
        .group_by(domain)
        .order_by(func.count().desc(), domain)
        .limit(DOMAINS)
    )  # fmt: skip
    return session.execute(query).all()


def _domain(session: Session) -> ColumnElement[str]:
    """Return what stands after the @ of an address, as the database at hand finds it."""
    position = func.strpos if session.get_bind().dialect.name == "postgresql" else func.instr
    return func.substr(SUBSCRIBER.c.email_key, position(SUBSCRIBER.c.email_key, literal("@")) + 1)
