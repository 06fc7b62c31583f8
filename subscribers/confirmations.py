"""Confirmations: the questions that a mail asks of a newcomer, answered once, in time, by who has the mail.

One mail asks for every list of a sign-up, under one token. The token is random and only its hash is kept: who reads the
database cannot answer for a reader.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlmodel import Session

from subscribers import consent, erasures, notices, suppressions, upsert, words
from subscribers.models import (
    Confirmation,
    Consent,
    ConsentEvent,
    MailingList,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from subscribers.tokens import Keyring

#: How long a reader may take.
LASTS = timedelta(days=7)

_TABLE, _PROOF, _LIST = upsert.table(Confirmation), upsert.table(Consent), upsert.table(MailingList)
_PERSON, _STANDING = upsert.table(Subscriber), upsert.table(Subscription)
_QUESTIONS = (
    select(_TABLE, _PERSON.c.email, _PERSON.c.email_key, _LIST.c.name, _LIST.c.title)
    .add_columns(_PROOF.c.words, _PROOF.c.form_version)
    .join_from(_TABLE, _PERSON, _PERSON.c.id == _TABLE.c.subscriber_id)
    .join(_LIST, _LIST.c.id == _TABLE.c.list_id)
    .join(_PROOF, _PROOF.c.id == _TABLE.c.consent_id)
)


class Answer(StrEnum):
    """What became of a token."""

    #: the reader is on the list now
    CONFIRMED = "confirmed"
    #: this token confirmed before; nothing changed
    ALREADY = "already"
    #: it came too late; the reader has to sign up again
    EXPIRED = "expired"
    #: the reader left the list, or must not be mailed, since they were asked; nothing changed
    WITHDRAWN = "withdrawn"
    #: we never gave out such a token, or its reader was erased
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that was asked of a reader by mail: one list, and the words that they saw."""

    id: int
    email: str
    list: str
    title: str
    words: str
    message_id: str
    asked_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The questions of one mail, of which there is at least one; `token` is told here once and never again."""

    token: str
    questions: tuple[Question, ...]


def ask(
    session: Session, subscriber_id: int, wishes: Mapping[int, str], *, form_version: str = "", method: str,
    now: datetime, ip: str = "", user_agent: str = "",
) -> Asked:  # fmt: skip
    """Record which lists the reader asked to join, each with the words that they saw, and return what to mail them."""
    token = secrets.token_urlsafe(32)
    for list_id, shown in wishes.items():
        proof = {
            "subscriber_id": subscriber_id, "list_id": list_id, "event": ConsentEvent.REQUESTED, "method": method,
            "words": shown, "words_sha256": consent.digest(shown), "form_version": words.printable(form_version, 80),
            "message_id": "", "ip": words.printable(ip, 45), "user_agent": words.printable(user_agent, 400), "at": now,
        }  # fmt: skip
        requested = session.execute(_PROOF.insert().values(proof).returning(_PROOF.c.id)).scalar_one()
        row = {
            "token_sha256": _digest(token), "subscriber_id": subscriber_id, "list_id": list_id,
            "consent_id": requested, "message_id": "", "created_at": now, "expires_at": now + LASTS,
        }  # fmt: skip
        session.execute(_TABLE.insert().values(row))
    return Asked(token=token, questions=tuple(map(_question, _find(session, token))))


def renew(session: Session, id: int, *, now: datetime) -> Asked | None:
    """Return what the mail of a question asks under a fresh token, None where it need not be asked any more.

    What waits to be mailed is kept without a token: the one that is mailed is made as it leaves.
    """
    token = secrets.token_urlsafe(32)
    session.execute(update(_TABLE).where(_together(id)).values(token_sha256=_digest(token)))
    open_ = [each for each in _find(session, token) if _answer(session, each, now) is Answer.CONFIRMED]
    return Asked(token=token, questions=tuple(map(_question, open_))) if open_ else None


def of(session: Session, subscriber_id: int) -> Sequence[Question]:
    """Return the questions that were asked of a reader, oldest first."""
    asked = _QUESTIONS.where(_TABLE.c.subscriber_id == subscriber_id).order_by(_TABLE.c.id)
    return [_question(row) for row in session.execute(asked)]


def mailed(session: Session, id: int, message_id: str) -> None:
    """Keep the Message-ID of the mail that asks a question and those beside it, for the proofs that will follow."""
    session.execute(update(_TABLE).where(_together(id)).values(message_id=words.printable(message_id, 255)))


def asked_since(session: Session, subscriber_id: int, since: datetime) -> int:
    """Return how many questions went to a reader since a moment: nobody is to be flooded with them."""
    query = select(func.count()).where(_TABLE.c.subscriber_id == subscriber_id, _TABLE.c.created_at >= since)
    return session.scalar(query) or 0


def look(session: Session, token: str, *, now: datetime) -> tuple[Answer, tuple[Question, ...]]:
    """Return what answering the token would come to, and the questions for which it would; nothing changes."""
    found = [(_answer(session, each, now), each) for each in _find(session, token)]
    answer = _best(each for each, _ in found)
    return answer, tuple(_question(row) for each, row in found if each is answer)


def confirm(
    session: Session, token: str, *, keyring: Keyring, now: datetime, ip: str = "", user_agent: str = ""
) -> Answer:
    """Put the reader on the lists that the token was mailed for, with the proofs; a token does so once."""
    found = [(_answer(session, each, now), each) for each in _find(session, token)]
    answer = _best(each for each, _ in found)
    if answer is not Answer.CONFIRMED:
        return answer
    ready = [row for each, row in found if each is answer]
    # Guarded: of two clicks at once one finds the token used.
    used = update(_TABLE).where(_TABLE.c.id.in_([row.id for row in ready]), _TABLE.c.used_at.is_(None))
    won = set(session.scalars(used.values(used_at=now).returning(_TABLE.c.id)))
    for row in ready:
        if row.id in won:
            _join(session, row, now=now, ip=ip, user_agent=user_agent)
    if not won:
        return Answer.ALREADY
    erasures.forget(session, keyring, ready[0].email_key)  # once erased, they are back by their own act
    return Answer.CONFIRMED


def _join(session: Session, found: Row[*tuple[Any, ...]], *, now: datetime, ip: str, user_agent: str) -> None:
    """Put the reader of one question on its list, with the proof."""
    joined = (
        update(_STANDING)
        .where(_STANDING.c.subscriber_id == found.subscriber_id, _STANDING.c.list_id == found.list_id)
        .where(_STANDING.c.state == SubscriptionState.PENDING)
        .values(state=SubscriptionState.CONFIRMED, changed_at=now)
    )
    if session.execute(joined.returning(_STANDING.c.id)).first() is not None:
        consent.record(
            session, [(found.subscriber_id, found.list_id)], event=ConsentEvent.CONFIRMED, method="double opt-in",
            shown=found.words, form_version=found.form_version, message_id=found.message_id, now=now, ip=ip,
            user_agent=user_agent,
        )  # fmt: skip
        who = {"subscriber_id": found.subscriber_id, "list_id": found.list_id}
        notices.tell(session, notices.CONFIRMED, now=now, **who)


def sweep(session: Session, *, before: datetime) -> int:
    """Forget questions that ran out before a moment; return how many. The proofs of them stay."""
    return upsert.touched(session, delete(_TABLE).where(_TABLE.c.expires_at < before))


def _find(session: Session, token: str) -> Sequence[Row[*tuple[Any, ...]]]:
    return session.execute(_QUESTIONS.where(_TABLE.c.token_sha256 == _digest(token)).order_by(_TABLE.c.id)).all()


def _together(id: int) -> ColumnElement[bool]:
    """Return the condition that holds for a question and those that one mail asks with it."""
    one = _TABLE.alias("one")
    return _TABLE.c.token_sha256 == select(one.c.token_sha256).where(one.c.id == id).scalar_subquery()


def _question(row: Row[*tuple[Any, ...]]) -> Question:
    return Question(
        id=row.id, email=row.email, list=row.name, title=row.title, words=row.words, message_id=row.message_id,
        asked_at=row.created_at, expires_at=row.expires_at, used_at=row.used_at,
    )  # fmt: skip


def _best(answers: Iterable[Answer]) -> Answer:
    """Return the answer that a reader is told, where it is not the same for all of their lists."""
    return min(answers, key=list(Answer).index, default=Answer.UNKNOWN)


def _answer(session: Session, found: Row[*tuple[Any, ...]], now: datetime) -> Answer:
    if found.used_at is not None:
        return Answer.ALREADY
    if found.expires_at <= now:
        return Answer.EXPIRED
    standing = select(_STANDING.c.state).where(
        _STANDING.c.subscriber_id == found.subscriber_id, _STANDING.c.list_id == found.list_id
    )
    left = session.scalar(standing) in (None, SubscriptionState.UNSUBSCRIBED)
    barred = suppressions.bars(session, found.email_key, on=found.list_id)
    return Answer.WITHDRAWN if left or barred else Answer.CONFIRMED


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
