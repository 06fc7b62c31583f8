"""Webhooks: receivers elsewhere are told of facts, signed, again and again until they take it or three days are over.

The form is Standard Webhooks: `webhook-id` stays the same however often one notice is sent, so that a receiver can tell
what it had already; `webhook-signature` is an HMAC-SHA256 over id, time and body.
"""

import hashlib
import hmac
import json
import logging
from base64 import b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, delete, func, or_, select, update
from sqlmodel import Session

from newsletter import db, hooks
from newsletter.errors import NotFound, SettingsError
from newsletter.feedback import posting
from newsletter.hooks import Webhook
from newsletter.settings import Settings
from newsletter.words import counted
from subscribers import upsert
from subscribers.models import MailingList, Notice, NoticeState, Subscriber, Suppression

#: Seconds between one attempt and the next; the last repeats.
PAUSES = (5, 300, 1800, 7200, 18000, 36000)
#: How long a notice is tried, how long one is remembered, and how long one attempt can take.
LASTS, KEPT, ATTEMPT = timedelta(days=3), timedelta(days=30), timedelta(minutes=2)
#: The receiver says that nobody is to be told there any more.
_GONE = 410

_log = logging.getLogger(__name__)
_TABLE, _LIST = upsert.table(Notice), upsert.table(MailingList)
_PERSON, _BARRED = upsert.table(Subscriber), upsert.table(Suppression)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many notices a pass delivered, and how many wait after it."""

    told: int = 0
    waiting: int = 0


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """A notice as a listing shows it; `answer` is what its receiver said last."""

    id: int
    message_id: str
    receiver: str
    fact: str
    state: NoticeState
    at: datetime
    due_at: datetime
    attempts: int
    answer: str


def deliver(engine: Engine, settings: Settings, *, clock: Callable[[], datetime]) -> Tally:
    """Tell receivers what is due; one that does not take a notice is left alone for the rest of the pass."""
    if not settings.webhook:
        return Tally()
    told, left_alone = 0, set[str]()
    while (row := _claim(engine, settings, left_alone, clock())) is not None:
        hook = named(settings, row.receiver)
        answer = _post(settings, hook, row.message_id, _body(row), now=clock())
        _settle(engine, row, answer, now=clock())
        told += answer.taken
        if not answer.taken:
            left_alone.add(row.receiver)
    with db.reading(engine) as session:
        return Tally(told=told, waiting=counts(session)[NoticeState.WAITING])


def test(settings: Settings, name: str, *, now: datetime) -> posting.Answer:
    """Tell one receiver that this is a test, and return what it answers."""
    body = json.dumps({"type": "test", "timestamp": now.isoformat(), "data": {}})
    return _post(settings, named(settings, name), f"msg_test{int(now.timestamp())}", body, now=now)


def all(session: Session, *, state: NoticeState | None = None, limit: int = 100) -> list[NoticeView]:
    """Return the newest notices, of one state if it is named."""
    fields = [_TABLE.c[name] for name in NoticeView.__dataclass_fields__]
    query = select(*fields).order_by(_TABLE.c.id.desc()).limit(limit)
    rows = session.execute(query if state is None else query.where(_TABLE.c.state == state))
    return [NoticeView(**row._mapping) for row in rows]


def counts(session: Session) -> dict[NoticeState, int]:
    """Return how many notices are in each state."""
    found = dict(session.execute(select(_TABLE.c.state, func.count()).group_by(_TABLE.c.state)).all())
    return {state: found.get(state, 0) for state in NoticeState}


def redeliver(session: Session, ids: Collection[int], *, now: datetime) -> int:
    """Let notices be told anew, those that were given up if none are named; return how many."""
    which = _TABLE.c.id.in_(ids) if ids else _TABLE.c.state == NoticeState.DEAD
    again = {"state": NoticeState.WAITING, "since": now, "due_at": now, "changed_at": now, "attempts": 0}
    touched = upsert.touched(session, update(_TABLE).where(which).values(again))
    if touched < len(ids):
        raise NotFound("not all of these notices are there; nothing was changed; all of them: newsletter webhooks list")
    return touched


def troubles(session: Session, *, now: datetime) -> dict[str, str]:
    """Return what is wrong with receivers, by their names: notices that were given up, or that none takes."""
    given_up = _TABLE.c.state == NoticeState.DEAD
    refused = (_TABLE.c.state == NoticeState.WAITING) & (_TABLE.c.attempts >= len(PAUSES) // 2)
    query = (
        select(
            _TABLE.c.receiver, func.count().filter(given_up), func.count().filter(refused), func.max(_TABLE.c.answer)
        )
        .where(or_(given_up, refused), _TABLE.c.changed_at > now - KEPT)
        .group_by(_TABLE.c.receiver)
    )
    return {
        name: f"{counted(dead, 'notice')} given up, {waits} refused again and again; it said: {answer or 'nothing'}"
        for name, dead, waits, answer in session.execute(query)
    }


def named(settings: Settings, name: str) -> Webhook:
    """Return the receiver of that name."""
    for each in settings.webhook:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in settings.webhook) or "none"
    raise NotFound(f"there is no [[webhook]] called {name!r} in newsletter.toml (there are: {known})")


def secret(settings: Settings, hook: Webhook) -> bytes:
    """Return the key that signs what a receiver is told."""
    path = settings.path(hook.secret_file)
    try:
        return hooks.key(hook.secret or path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        where = "its secret" if hook.secret else path
        raise SettingsError(
            f"webhook {hook.name}: {where} cannot be used ({error}); make one: newsletter webhooks keygen FILE"
        ) from error


def sign(key: bytes, message_id: str, moment: int, body: str) -> str:
    """Return the signature of a message, as its header has it."""
    signed = hmac.digest(key, f"{message_id}.{moment}.{body}".encode(), hashlib.sha256)
    return f"v1,{b64encode(signed).decode()}"


def _claim(engine: Engine, settings: Settings, but: Collection[str], now: datetime) -> Row[*tuple[Any, ...]] | None:
    """Return the next notice that is due, which nobody else takes up meanwhile."""
    there = [each.name for each in settings.webhook if each.name not in but]
    due = (_TABLE.c.state == NoticeState.WAITING, _TABLE.c.due_at <= now)
    which = select(_TABLE.c.id).where(*due, _TABLE.c.receiver.in_(there)).order_by(_TABLE.c.due_at, _TABLE.c.id)
    with db.reading(engine) as session:
        if session.scalar(which.limit(1)) is None:
            return None
    with db.transaction(engine) as session:
        gone = [each.name for each in settings.webhook]
        dead = {"state": NoticeState.DEAD, "answer": "its receiver is not in newsletter.toml", "changed_at": now}
        session.execute(update(_TABLE).where(*due, _TABLE.c.receiver.not_in(gone)).values(dead))
        settled = (_TABLE.c.state != NoticeState.WAITING, _TABLE.c.changed_at <= now - KEPT)
        session.execute(delete(_TABLE).where(*settled))
        number = session.scalar(which.limit(1).with_for_update(skip_locked=True))
        if number is None:
            return None
        begun = {"attempts": _TABLE.c.attempts + 1, "due_at": now + ATTEMPT, "changed_at": now}
        session.execute(update(_TABLE).where(_TABLE.c.id == number).values(begun))
        email = func.coalesce(_PERSON.c.email, _BARRED.c.email_key)
        whole = (
            select(_TABLE, _LIST.c.name.label("list"), _BARRED.c.reason, email.label("email"))
            .outerjoin(_LIST, _LIST.c.id == _TABLE.c.list_id)
            .outerjoin(_PERSON, _PERSON.c.id == _TABLE.c.subscriber_id)
            .outerjoin(_BARRED, _BARRED.c.id == _TABLE.c.suppression_id)
        )
        return session.execute(whole.where(_TABLE.c.id == number)).one()


def _body(row: Row[*tuple[Any, ...]]) -> str:
    """Return what a receiver is told: the address as it stands now, and nothing of who was erased meanwhile."""
    told = {"subscriber": row.subscriber_id, "email": row.email, "list": row.list, "reason": row.reason, **row.data}
    data = {name: value for name, value in told.items() if value is not None}
    return json.dumps({"type": row.fact, "timestamp": row.at.isoformat(), "data": data}, ensure_ascii=False)


def _post(settings: Settings, hook: Webhook, message_id: str, body: str, *, now: datetime) -> posting.Answer:
    moment = int(now.timestamp())
    try:
        signature = sign(secret(settings, hook), message_id, moment, body)
    except SettingsError as error:
        return posting.Answer(status=0, said=str(error))
    headers = {"webhook-id": message_id, "webhook-timestamp": str(moment), "webhook-signature": signature}
    return posting.post(hook.url, body.encode(), headers=headers, private=hook.private)


def _settle(engine: Engine, row: Row[*tuple[Any, ...]], answer: posting.Answer, *, now: datetime) -> None:
    """Keep what became of an attempt; the log names the notice and the receiver, never a reader."""
    pause = timedelta(seconds=PAUSES[min(row.attempts, len(PAUSES)) - 1])
    state = NoticeState.TOLD if answer.taken else NoticeState.WAITING
    if not answer.taken and (answer.status == _GONE or now + pause > row.since + LASTS):
        state = NoticeState.DEAD
        _log.error("webhook %s: notice %s is given up: %s", row.receiver, row.id, answer.said)
    values = {"state": state, "answer": answer.said[:400], "due_at": now + pause, "changed_at": now}
    with db.transaction(engine) as session:
        mine = (_TABLE.c.id == row.id, _TABLE.c.attempts == row.attempts)
        session.execute(update(_TABLE).where(*mine).values(values))
