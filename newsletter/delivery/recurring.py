"""Recurring issues: composed and frozen by themselves when their time comes, held, or scheduled to go out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import editions, rounds, schedules
from newsletter.delivery.editions import EditionView
from newsletter.delivery.models import Made
from newsletter.delivery.sending import Order
from newsletter.editorial import roles
from newsletter.editorial.models import Role
from newsletter.errors import NewsletterError
from newsletter.issues import choosing, issues
from newsletter.issues.issues import Words
from newsletter.issues.selecting import Room, Selection
from newsletter.recurring import Recurring
from newsletter.rendering import press
from newsletter.settings import FILE, Settings
from subscribers.errors import AudienceError
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Coming:
    """A recurring issue with its next moments, and what became of the newest one; None before the first."""

    recurring: Recurring
    next: tuple[datetime, ...]
    last: EditionView | None

    @property
    def local(self) -> str:
        """Return the next moment as the settings have it."""
        return f"{self.next[0].astimezone(self.recurring.recurrence.zone):%Y-%m-%d %H:%M} {self.recurring.zone}"

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON, beside the issues that wait for one moment."""
        each = self.recurring
        return {
            "issue": None, "schedule": each.name, "every": each.every, "at": self.next[0], "zone": each.zone,
            "local": self.local, "missed": False, "lists": [each.list], "segments": [], "actor": each.person,
            "next": list(self.next), "then": each.then, "last": self.last.as_json() if self.last else None,
        }  # fmt: skip


def coming(session: Session, settings: Settings, *, now: datetime, count: int = 3) -> list[Coming]:
    """Return the recurring issues of the settings, the first to come first."""
    newest = editions.newest(session)
    found = []
    for each in settings.schedule:
        moments = each.recurrence.moments(now)
        found.append(
            Coming(recurring=each, next=tuple(next(moments) for _ in range(count)), last=newest.get(each.name))
        )
    return sorted(found, key=lambda each: (each.next[0], each.recurring.name))


def run(engine: Engine, settings: Settings, *, keyring: Keyring, now: datetime) -> list[EditionView]:
    """Take up every recurring issue whose time has come, each in a transaction, and return what became of it.

    Of the moments that nothing looked for, the newest is made up, if it is no later than `late` in [sending] says.
    Whoever else looks at the same time takes up the others.
    """
    with db.reading(engine) as session:
        due = list(_due(session, settings, now))
    return [made for each, at in due if (made := _take_up(engine, settings, each, at, keyring=keyring, now=now))]


def _due(session: Session, settings: Settings, now: datetime) -> Iterator[tuple[Recurring, datetime]]:
    """Yield the recurring issues with the moment that is to be taken up now; one that is new has none before it."""
    newest = editions.newest(session)
    for each in settings.schedule:
        at = each.recurrence.last(now + each.earlier)
        last = newest.get(each.name)
        begun = last.at if last else _written(settings)
        if begun < at - (timedelta() if last else each.earlier):
            yield each, at


def _written(settings: Settings) -> datetime:
    """Return when newsletter.toml was written: what it says of times before was not said then."""
    return datetime.fromtimestamp(settings.path(FILE).stat().st_mtime, UTC)


def _take_up(
    engine: Engine, settings: Settings, each: Recurring, at: datetime, *, keyring: Keyring, now: datetime
) -> EditionView | None:
    with db.transaction(engine) as session:
        if not editions.begin(session, each.name, at, sends=each.then == "send", now=now):
            return None
        if now - at > timedelta(hours=settings.sending.late):
            note = f"nothing looked for it within {settings.sending.late:g} hours; compose it by hand, or wait"
            return editions.record(session, each.name, at, Made.MISSED, note=note)
        try:
            with session.begin_nested():
                roles.require(session, each.person, Role.EDITOR)
                chosen = _choose(session, each, now)
                if not chosen.picks:
                    return editions.record(session, each.name, at, Made.NOTHING, note=_nothing(chosen))
                issue = issues.compose(
                    session, chosen.picks, words=Words(), list_name=each.list, actor=each.person, now=now
                ).id
        except (NewsletterError, AudienceError) as error:
            return editions.record(session, each.name, at, Made.REFUSED, note=str(error))
        return _freeze(session, settings, each, at, issue, keyring=keyring, now=now)


def _choose(session: Session, each: Recurring, now: datetime) -> Selection:
    room = Room(items=each.limit, per_topic=each.per_topic, minutes=each.max_minutes)
    since = now - each.span if each.span else None
    return choosing.choose(session, since=since, topic=each.topic, list_name=each.list, room=room, now=now)


def _nothing(chosen: Selection) -> str:
    reasons = "; ".join(f"{briefing}: {why}" for briefing, why in chosen.left.items())
    return f"nothing that is approved waits for it{f' ({reasons})' if reasons else ''}"


def _freeze(
    session: Session, settings: Settings, each: Recurring, at: datetime, issue: int, *, keyring: Keyring, now: datetime
) -> EditionView:
    """Freeze an issue that came by itself and give it its time, or leave it composed for a person to mend."""
    try:
        with session.begin_nested():
            press.freeze(session, issue, settings, keyring=keyring, actor=each.person, now=now)
            if each.then == "send":
                terms = rounds.terms(Order(lists=(each.list,)))
                schedules.add(session, issue, at, zone=each.zone, terms=terms, actor=each.person, now=now)
    except NewsletterError as error:
        note = f"{error}; mend that, then: newsletter issues freeze {issue}"
        return editions.record(session, each.name, at, Made.REFUSED, issue=issue, note=note)
    way_on = f"newsletter issues clear {issue}" if each.then == "send" else f"newsletter send {issue}"
    note = f"it waits for somebody who {'clears' if each.then == 'send' else 'sends'} it: {way_on}"
    return editions.record(session, each.name, at, Made.ISSUE, issue=issue, note=note)
