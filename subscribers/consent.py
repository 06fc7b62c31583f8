"""Consent: the proof of what readers agreed to and took back. Rows are added, never changed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import Session

from subscribers import upsert, words
from subscribers.errors import BadValue
from subscribers.models import Consent, ConsentEvent, MailingList

_TABLE, _LIST = upsert.table(Consent), upsert.table(MailingList)
_PROOF = ("event", "method", "words", "words_sha256", "form_version", "message_id", "ip", "user_agent", "at")


@dataclass(frozen=True, kw_only=True)
class ConsentView:
    """One proof: what happened on which list, how and when, the words shown with their hash, and from where.

    `message_id` names the mail whose link was followed; `form_version` the form that showed the words.
    """

    id: int
    list: str
    event: ConsentEvent
    method: str
    words: str
    words_sha256: str
    form_version: str
    message_id: str
    ip: str
    user_agent: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Saying:
    """What a reader said of one list by a link, and how, when and from where."""

    subscriber_id: int
    list_id: int
    method: str
    now: datetime
    ip: str = ""
    user_agent: str = ""


def basis(text: str) -> str:
    """Return the words that say how people agreed, or refuse when there are none: they are the proof."""
    text = words.line("the consent basis", text, 4000)
    if not text:
        raise BadValue(text, "say how they agreed to be mailed: --consent-basis 'signed up at the fair, May 2026'")
    return text


def digest(shown: str) -> str:
    """Return the hash of the words shown, in hexadecimal (SHA-256 of their UTF-8); empty for no words."""
    return hashlib.sha256(shown.encode()).hexdigest() if shown else ""


def record(
    session: Session, pairs: Iterable[tuple[int, int]], *, event: ConsentEvent, method: str, now: datetime,
    shown: str = "", form_version: str = "", message_id: str = "", ip: str = "", user_agent: str = "",
) -> None:  # fmt: skip
    """Write one row for each (subscriber, list): what happened, how, from where, and the words shown."""
    proof = _proof(event, method, now, ip, user_agent) | {
        "words": shown, "words_sha256": digest(shown), "form_version": words.printable(form_version, 80),
        "message_id": words.printable(message_id, 255),
    }  # fmt: skip
    rows = [{"subscriber_id": subscriber, "list_id": on, **proof} for subscriber, on in pairs]
    upsert.many(session, insert(_TABLE), rows)


def record_each(session: Session, event: ConsentEvent, said: Iterable[Saying]) -> None:
    """Write one row for each thing that was said without words being shown."""
    rows = [
        {"subscriber_id": each.subscriber_id, "list_id": each.list_id, "words": "", "words_sha256": "",
         "form_version": "", "message_id": "", **_proof(event, each.method, each.now, each.ip, each.user_agent)}
        for each in said
    ]  # fmt: skip
    upsert.many(session, insert(_TABLE), rows)


def _proof(event: ConsentEvent, method: str, now: datetime, ip: str, user_agent: str) -> dict[str, Any]:
    return {
        "event": event, "method": method, "at": now,
        "ip": words.printable(ip, 45), "user_agent": words.printable(user_agent, 400),
    }  # fmt: skip


def of(session: Session, subscriber_id: int) -> Sequence[ConsentView]:
    """Return every proof about a subscriber, oldest first."""
    fields = [_TABLE.c.id, func.coalesce(_LIST.c.name, "").label("list"), *(_TABLE.c[name] for name in _PROOF)]
    joined = select(*fields).select_from(_TABLE.outerjoin(_LIST, _LIST.c.id == _TABLE.c.list_id))
    query = joined.where(_TABLE.c.subscriber_id == subscriber_id).order_by(_TABLE.c.id)
    return [ConsentView(**row._mapping) for row in session.execute(query)]


def unname(session: Session, subscriber_id: int) -> int:
    """Take the person out of their proofs, for an erasure: what was agreed to stays, not by whom or from where."""
    unnamed = update(_TABLE).where(_TABLE.c.subscriber_id == subscriber_id)
    return upsert.touched(session, unnamed.values(subscriber_id=None, ip="", user_agent=""))
