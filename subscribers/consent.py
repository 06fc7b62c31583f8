"""Consent: the proof of what readers agreed to and took back. Rows are added, never changed."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert
from sqlmodel import Session

from subscribers import upsert, words
from subscribers.errors import BadValue
from subscribers.models import Consent, ConsentEvent


def basis(text: str) -> str:
    """Return the words that say how people agreed, or refuse when there are none: they are the proof."""
    text = words.line("the consent basis", text, 4000)
    if not text:
        raise BadValue(text, "say how they agreed to be mailed: --consent-basis 'signed up at the fair, May 2026'")
    return text


def record(
    session: Session, pairs: Iterable[tuple[int, int]], *, event: ConsentEvent, method: str, now: datetime,
    shown: str = "", ip: str = "", user_agent: str = "",
) -> None:  # fmt: skip
    """Write one row for each (subscriber, list): what happened, how, from where, and the words shown."""
    proof = {
        "event": event, "method": method, "at": now, "words": shown,
        "words_sha256": hashlib.sha256(shown.encode()).hexdigest() if shown else "",
        "ip": words.printable(ip, 45), "user_agent": words.printable(user_agent, 400),
    }  # fmt: skip
    rows = [{"subscriber_id": subscriber, "list_id": on, **proof} for subscriber, on in pairs]
    upsert.many(session, insert(upsert.table(Consent)), rows)
