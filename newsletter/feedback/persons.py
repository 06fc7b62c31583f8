"""Persons: all that is held about one reader, told whole or taken out whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, Update, func, select, update
from sqlmodel import Session, col

from newsletter.delivery.models import DeliveryState
from newsletter.delivery.tables import DELIVERY
from newsletter.feedback import clicks, events
from newsletter.feedback.clicks import ClickView
from newsletter.feedback.events import EventView
from newsletter.feedback.models import Event
from newsletter.issues.models import Issue
from subscribers import addresses, confirmations, consent, erasures, subscribers, subscriptions, suppressions, upsert
from subscribers.confirmations import Question
from subscribers.consent import ConsentView
from subscribers.errors import NotFound
from subscribers.models import SubscriptionState, SuppressionReason
from subscribers.subscribers import SubscriberView
from subscribers.subscriptions import Standing
from subscribers.suppressions import SuppressionView
from subscribers.tokens import Keyring

_EVENT, _ISSUE = upsert.table(Event), upsert.table(Issue)


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """What became of one issue's copy."""

    issue: int
    subject: str
    state: DeliveryState
    reason: str
    reply: str
    attempts: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Mailable:
    """Whether a list may mail the reader, and why or why not."""

    list: str
    state: SubscriptionState
    since: datetime
    mailable: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything that is held about an address; `subscriber` is None where only suppressions or a hash are left."""

    address: str
    subscriber: SubscriberView | None
    lists: Sequence[Mailable]
    suppressions: Sequence[SuppressionView]
    consents: Sequence[ConsentView]
    confirmations: Sequence[Question]
    deliveries: Sequence[DeliveryView]
    events: Sequence[EventView]
    clicks: Sequence[ClickView]
    erased: bool


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What an erasure took out; `subscriber_id` is None where nobody had subscribed with the address."""

    subscriber_id: int | None
    subscriptions: int
    suppressions: int
    consents: int
    deliveries: int
    events: int
    clicks: int


def find(session: Session, email: str, *, keyring: Keyring, now: datetime) -> Person:
    """Return everything held about an address; raise NotFound when that is nothing at all."""
    key = addresses.parse(email).key
    known = subscribers.known(session, email)
    barred = suppressions.of(session, email)
    erased = bool(erasures.among(session, keyring, [key]))
    if known is None and not barred and not erased:
        raise NotFound(f"nothing is held about {email}; who is known: newsletter subscribers list")
    number = known.id if known else 0
    return Person(
        address=email, subscriber=known, lists=_lists(session, known, barred, now), suppressions=barred,
        consents=consent.of(session, number), confirmations=confirmations.of(session, number),
        deliveries=_deliveries(session, number), events=events.of(session, number),
        clicks=clicks.of(session, number), erased=erased,
    )  # fmt: skip


def erase(session: Session, email: str, *, keyring: Keyring, now: datetime) -> Erased:
    """Take out all that tells of a person, and keep a keyed hash that bars the address from imports.

    What was agreed to, sent and came back stays counted and names nobody. A copy that is not on the wire yet is
    skipped as erased. An address that nobody subscribed with is barred all the same.
    """
    address = addresses.parse(email)
    known = subscribers.known(session, email)
    number = known.id if known else 0
    erasures.keep(session, keyring, address.key, now=now)
    taken = Erased(
        subscriber_id=known.id if known else None,
        subscriptions=len(known.subscriptions) if known else 0,
        suppressions=suppressions.forget(session, address.key),
        consents=consent.unname(session, number),
        # A mail server's reply repeats the address, as often as not.
        deliveries=upsert.touched(session, _of(DELIVERY, number).values(subscriber_id=None, reply="")),
        events=upsert.touched(session, _of(_EVENT, number).values(subscriber_id=None, detail={})),
        clicks=clicks.unname(session, number),
    )
    if known:
        subscribers.remove(session, known.id)
        _unmention(session, known.email)
    return taken


def _lists(
    session: Session, known: SubscriberView | None, barred: Sequence[SuppressionView], now: datetime
) -> list[Mailable]:
    reasons = {each.list: each.reason for each in barred if each.lifted_at is None}
    paused = known.paused_until if known and known.paused_until and known.paused_until > now else None
    rests = f"paused until {paused:%Y-%m-%d}" if paused else ""
    return [
        Mailable(list=each.name, state=each.state, since=each.changed_at, mailable=not why, why=why or "confirmed")
        for each in (subscriptions.of(session, known.id) if known else ())
        for why in [_objection(each, reasons) or rests]
    ]


def _objection(standing: Standing, reasons: Mapping[str, SuppressionReason]) -> str:
    """Return why a list must not mail the reader, empty when it may; `reasons` is what they are suppressed for."""
    if standing.state is not SubscriptionState.CONFIRMED:
        return "they left" if standing.state is SubscriptionState.UNSUBSCRIBED else "they have not confirmed yet"
    if "" in reasons:
        return f"suppressed: {reasons['']}"
    return f"suppressed on this list: {reasons[standing.name]}" if standing.name in reasons else ""


def _deliveries(session: Session, subscriber_id: int) -> list[DeliveryView]:
    fields = (DELIVERY.c.state, DELIVERY.c.reason, DELIVERY.c.reply, DELIVERY.c.attempts)
    query = (
        select(_ISSUE.c.id.label("issue"), _ISSUE.c.subject, *fields, DELIVERY.c.changed_at.label("at"))
        .join_from(DELIVERY, _ISSUE, _ISSUE.c.id == DELIVERY.c.issue_id)
        .where(DELIVERY.c.subscriber_id == subscriber_id)
        .order_by(_ISSUE.c.id)
    )
    return [DeliveryView(**row._mapping) for row in session.execute(query)]


def _of(table: Table, subscriber_id: int) -> Update:
    return update(table).where(table.c.subscriber_id == subscriber_id)


def _unmention(session: Session, email: str) -> None:
    """Take the address out of the notes of issues, where a relay's refusal named its reader."""
    named = col(Issue.note).contains(email, autoescape=True)
    session.execute(update(_ISSUE).where(named).values(note=func.replace(_ISSUE.c.note, email, "(erased)")))
