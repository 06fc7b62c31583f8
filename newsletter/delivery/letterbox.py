"""The letterbox: letters that ask a newcomer to confirm, kept until a relay takes them or a day has passed.

Kept is which questions a letter asks and how it fares, not the letter: who reads the database cannot answer it. One
whose end is not known is not sent again, for nobody is to be asked twice by one sign-up.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlmodel import Session

from newsletter import db
from newsletter.delivery import letters as post
from newsletter.delivery.models import LetterState
from newsletter.delivery.replies import Kind
from newsletter.delivery.tables import LETTER
from newsletter.errors import NewsletterError
from newsletter.rendering import letters
from newsletter.settings import Settings
from subscribers import confirmations
from subscribers.confirmations import Asked, Question

#: How long a letter is tried, how long it is remembered, and how long one attempt can take.
LASTS, KEPT, ATTEMPT = timedelta(days=1), timedelta(days=30), timedelta(minutes=15)
#: Seconds between one attempt and the next; the last repeats.
PAUSES = (30, 60, 120, 300, 600, 1200, 1800)

_log = logging.getLogger(__name__)
_ENDINGS = {
    Kind.SENT: LetterState.SENT, Kind.FAILED: LetterState.REFUSED, Kind.UNKNOWN: LetterState.UNKNOWN,
    Kind.DEFERRED: LetterState.WAITING, Kind.RELAY_REFUSED: LetterState.WAITING,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of the letters of one pass, and how many wait after it."""

    sent: int = 0
    waiting: int = 0


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    """A letter that is this sender's, with what it asks."""

    id: int
    attempts: int
    asked: Asked


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """How an attempt ended; `away` says that the next letter would not fare better now."""

    state: LetterState
    reason: str = ""
    away: bool = False


def put(session: Session, asked: Asked, *, now: datetime) -> int:
    """Keep the letter that asks these questions until it is sent, and return its number."""
    row = {
        "confirmation_id": asked.questions[0].id, "state": LetterState.WAITING, "attempts": 0, "reason": "",
        "created_at": now, "changed_at": now, "due_at": now,
    }  # fmt: skip
    number: int = session.execute(insert(LETTER).values(row).returning(LETTER.c.id)).scalar_one()
    return number


def send(engine: Engine, settings: Settings, *, clock: Callable[[], datetime], only: int | None = None) -> Tally:
    """Send the letters that are due, or only one of them, each once; what a relay does not take now waits."""
    sent = 0
    while (claimed := _claim(engine, only, clock())) is not None:
        ended = _try(engine, settings, claimed, now=clock())
        _settle(engine, claimed, ended, now=clock())
        sent += ended.state is LetterState.SENT
        if ended.away:
            break
    with db.reading(engine) as session:
        return Tally(sent=sent, waiting=counts(session)[LetterState.WAITING])


def counts(session: Session) -> dict[LetterState, int]:
    """Return how many letters are in each state."""
    found = dict(session.execute(select(LETTER.c.state, func.count()).group_by(LETTER.c.state)).all())
    return {state: found.get(state, 0) for state in LetterState}


def listed(titles: Sequence[str]) -> str:
    """Return titles as a clause: the first, the second and the third."""
    *others, last = titles
    return f"{', '.join(others)} and {last}" if others else last


def _claim(engine: Engine, only: int | None, now: datetime) -> _Claimed | None:
    """Return the next letter that is due, marked as being sent; what is too old for that is closed on the way."""
    due = (LETTER.c.state.in_((LetterState.WAITING, LetterState.SENDING)), LETTER.c.due_at <= now)
    which = select(LETTER.c.id).where(*due, *([] if only is None else [LETTER.c.id == only])).limit(1)
    with db.reading(engine) as session:
        if session.scalar(which) is None:  # what runs every few seconds must not lock out who writes
            return None
    with db.transaction(engine) as session:
        _close(session, now)
        row = session.execute(
            select(LETTER.c.id, LETTER.c.confirmation_id, LETTER.c.attempts)
            .where(LETTER.c.id.in_(which))
            .order_by(LETTER.c.id)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return None
        asked = confirmations.renew(session, row.confirmation_id, now=now)
        begun = {"state": LetterState.SENDING, "attempts": row.attempts + 1, "due_at": now + ATTEMPT, "changed_at": now}
        over = {"state": LetterState.EXPIRED, "reason": "nothing is left to confirm", "changed_at": now}
        session.execute(update(LETTER).where(LETTER.c.id == row.id).values(begun if asked else over))
    if asked is None:
        return _claim(engine, only, now)
    return _Claimed(id=row.id, attempts=row.attempts + 1, asked=asked)


def _close(session: Session, now: datetime) -> None:
    """Close letters that are too old, or whose sender died with them, and forget those that are long closed."""
    died = (LETTER.c.state == LetterState.SENDING, LETTER.c.due_at <= now)
    unknown = {"state": LetterState.UNKNOWN, "reason": "its sender died", "changed_at": now}
    session.execute(update(LETTER).where(*died).values(unknown))
    late = (LETTER.c.state == LetterState.WAITING, LETTER.c.created_at <= now - LASTS)
    session.execute(update(LETTER).where(*late).values(state=LetterState.EXPIRED, changed_at=now))
    open_ = LETTER.c.state.in_((LetterState.WAITING, LetterState.SENDING))
    session.execute(delete(LETTER).where(~open_, LETTER.c.changed_at <= now - KEPT))


def _try(engine: Engine, settings: Settings, claimed: _Claimed, *, now: datetime) -> _Ended:
    """Send one letter."""
    questions = claimed.asked.questions
    try:
        link = f"{settings.publication.url}/confirm/{claimed.asked.token}"
        letter = letters.confirmation(
            settings, title=listed([each.title for each in questions]), shown=_shown(questions), link=link,
            until=questions[0].expires_at,
        )  # fmt: skip
        message_id, envelope = post.assemble(settings, letter, to=questions[0].email, now=now)
        with db.transaction(engine) as session:
            confirmations.mailed(session, questions[0].id, message_id)
        outcome = post.send(settings, envelope)
    except NewsletterError as error:
        return _Ended(state=LetterState.WAITING, reason=str(error), away=True)
    reason = "" if outcome.kind is Kind.SENT else f"{outcome.kind} {outcome.code}"
    return _Ended(state=_ENDINGS[outcome.kind], reason=reason, away=outcome.kind is Kind.RELAY_REFUSED)


def _settle(engine: Engine, claimed: _Claimed, ended: _Ended, *, now: datetime) -> None:
    """Keep what became of a letter. The log has its number and the reason, never the address."""
    pause = timedelta(seconds=PAUSES[min(claimed.attempts, len(PAUSES)) - 1])
    values = {"state": ended.state, "reason": ended.reason[:400], "due_at": now + pause, "changed_at": now}
    mine = (LETTER.c.id == claimed.id, LETTER.c.state == LetterState.SENDING)
    with db.transaction(engine) as session:
        session.execute(update(LETTER).where(*mine).values(values))
    if ended.state is LetterState.WAITING:
        _log.warning("letter %s waits for a relay (attempt %s): %s", claimed.id, claimed.attempts, ended.reason)
    elif ended.state is not LetterState.SENT:
        _log.error("letter %s is %s: %s", claimed.id, ended.state, ended.reason)


def _shown(questions: Sequence[Question]) -> str:
    """Return the words that the reader agreed to: once, where they are the same for every list."""
    words = {each.title: each.words.removeprefix(each.title).strip() for each in questions}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return " ".join(f"{title}: {shown}" for title, shown in words.items())
