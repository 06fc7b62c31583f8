"""Clicks: which links of an issue were followed, and by people or by machines.

Of who came nothing is kept but a keyed hash, and that for a week: until then it can turn out to be a machine's.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlmodel import Session

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY, SUBSCRIBER
from newsletter.feedback import robots
from newsletter.feedback.models import Click, ClickBy
from newsletter.feedback.robots import Rule, Signs
from newsletter.rendering import tracked
from newsletter.tracking import Tracking
from subscribers import upsert
from subscribers.tokens import Keyring

#: How long the hash of a visitor is kept.
KEPT = timedelta(days=7)
#: So many clicks of one copy are kept; whoever has a link cannot fill the database by it.
MOST = 500
CLICK = upsert.table(Click)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Who asks for a link: address and name, whether ahead of a person's wish, and whether by HEAD before."""

    ip: str
    agent: str
    ahead: bool = False
    headed: bool = False


@dataclass(frozen=True, kw_only=True)
class ClickView:
    """One click of a reader, as the desk keeps it."""

    issue: int
    number: int
    url: str
    by: ClickBy
    why: str
    at: datetime


def record(
    session: Session, visit: Visit, *, issue_id: int, subscriber_id: int, number: int, tracking: Tracking,
    keyring: Keyring, now: datetime,
) -> ClickBy | None:  # fmt: skip
    """Keep that a link was followed, and return by whom.

    None, and nothing kept, where the reader does not want it or is gone, and of a copy followed beyond measure.
    """
    person = select(SUBSCRIBER.c.uncounted).where(SUBSCRIBER.c.id == subscriber_id)
    if session.scalar(person) is not False:  # unknown since they were erased, or unwilling
        return None
    visitor, copy = _visitor(keyring, visit), (CLICK.c.issue_id == issue_id, CLICK.c.subscriber_id == subscriber_id)
    if session.execute(select(func.count()).where(*copy)).scalar_one() >= MOST:
        return None
    at_once = _at_once(session, copy, number, now)
    signs = Signs(
        canary=number == tracked.CANARY, agent=visit.agent, network=tracking.scans(visit.ip), ahead=visit.ahead,
        headed=visit.headed, caught=_caught(session, visitor, now), near=_near(session, copy, now), links=len(at_once),
        age=_age(session, issue_id, subscriber_id, now),
    )  # fmt: skip
    rule = robots.judge(signs, tracking)
    row = {"issue_id": issue_id, "subscriber_id": subscriber_id, "number": number, "by": rule.by, "why": rule.why}
    session.execute(insert(CLICK).values(**row, visitor=visitor, at=now))
    _look_back(session, rule, copy, visitor, now)
    return rule.by


def forget(session: Session, *, now: datetime) -> int:
    """Empty the hashes of visitors that are a week old; return how many."""
    return upsert.touched(session, update(CLICK).where(*_old(now)).values(visitor=""))


def due(session: Session, *, now: datetime) -> bool:
    """Return whether there is anything to forget: a look hinders nobody who writes."""
    return session.scalar(select(CLICK.c.id).where(*_old(now)).limit(1)) is not None


def _old(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return CLICK.c.visitor != "", CLICK.c.at < now - KEPT


def unname(session: Session, subscriber_id: int) -> int:
    """Take out of the clicks whose they were; return how many. They stay counted."""
    theirs = update(CLICK).where(CLICK.c.subscriber_id == subscriber_id)
    return upsert.touched(session, theirs.values(subscriber_id=None, visitor=""))


def of(session: Session, subscriber_id: int) -> list[ClickView]:
    """Return what is kept of one reader's clicks, oldest first."""
    rows = session.execute(select(CLICK).where(CLICK.c.subscriber_id == subscriber_id).order_by(CLICK.c.id)).all()
    links = {issue: tracked.all(session, issue) for issue in {row.issue_id for row in rows}}
    return [
        ClickView(
            issue=row.issue_id, number=row.number, url=links[row.issue_id].get(row.number, ""), by=row.by, why=row.why,
            at=row.at,
        )
        for row in rows
    ]  # fmt: skip


def _visitor(keyring: Keyring, visit: Visit) -> str:
    who = f"visitor\0{visit.ip}\0{visit.agent}".encode("utf-8", "replace")
    return hmac.digest(keyring.keys[keyring.newest], who, "sha256").hex()


def _at_once(session: Session, copy: Sequence[ColumnElement[bool]], number: int, now: datetime) -> set[int]:
    lately = select(CLICK.c.number).where(*copy, CLICK.c.at > now - robots.AT_ONCE)
    return {number, *session.scalars(lately)}


def _caught(session: Session, visitor: str, now: datetime) -> bool:
    hidden = (CLICK.c.visitor == visitor, CLICK.c.number == tracked.CANARY, CLICK.c.at > now - KEPT)
    return session.scalar(select(CLICK.c.id).where(*hidden).limit(1)) is not None


def _near(session: Session, copy: Sequence[ColumnElement[bool]], now: datetime) -> bool:
    machine = (*copy, CLICK.c.by == ClickBy.MACHINE, CLICK.c.at > now - robots.NEAR)
    return session.scalar(select(CLICK.c.id).where(*machine).limit(1)) is not None


def _age(session: Session, issue_id: int, subscriber_id: int, now: datetime) -> float | None:
    sent = select(DELIVERY.c.changed_at).where(
        DELIVERY.c.issue_id == issue_id, DELIVERY.c.subscriber_id == subscriber_id,
        DELIVERY.c.state == DeliveryState.SENT,
    )  # fmt: skip
    at = session.scalar(sent)
    return (now - at).total_seconds() if at else None


def _look_back(session: Session, rule: Rule, copy: Sequence[ColumnElement[bool]], visitor: str, now: datetime) -> None:
    """Say of the clicks before this one that they were a machine's too, where it shows that they were."""
    said = update(CLICK).where(CLICK.c.by != ClickBy.MACHINE)
    machine = {"by": ClickBy.MACHINE, "why": rule.why}
    if rule.why == robots.BURST:
        session.execute(said.where(*copy, CLICK.c.at > now - robots.AT_ONCE).values(machine))
    if rule.why == robots.CANARY:
        session.execute(said.where(*copy, CLICK.c.at > now - robots.NEAR).values(machine))
        session.execute(said.where(CLICK.c.visitor == visitor, CLICK.c.at > now - KEPT).values(machine))
