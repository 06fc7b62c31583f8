"""Knocks: how often one network, address or link came to a form, counted in the database for all processes.

What is counted is a keyed hash: the table tells nobody who came.
"""

import hmac
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session

from subscribers import upsert
from subscribers.models import Knock
from subscribers.tokens import Keyring

_TABLE = upsert.table(Knock)


def allow(
    session: Session, keyring: Keyring, kind: str, who: str, *, most: int, within: timedelta, now: datetime
) -> bool:
    """Count a knock, and return whether it is among the first `most` of its stretch of time."""
    return count(session, keyring, kind, who, within=within, now=now) <= most


def count(session: Session, keyring: Keyring, kind: str, who: str, *, within: timedelta, now: datetime) -> int:
    """Count a knock, and return how many there were in its stretch of time."""
    digest = hmac.digest(keyring.keys[keyring.newest], f"knock\0{kind}\0{who}".encode("utf-8", "replace"), "sha256")
    row = {"who": digest.hex(), "since": _start(now, within), "times": 1}
    counted = (
        upsert.into(session, Knock).values(row)
        .on_conflict_do_update(index_elements=["who", "since"], set_={"times": _TABLE.c.times + 1})
        .returning(_TABLE.c.times)
    )  # fmt: skip
    return int(session.execute(counted).scalar_one())


def sweep(session: Session, *, before: datetime) -> int:
    """Forget the stretches that began before a moment; return how many."""
    return upsert.touched(session, delete(_TABLE).where(_TABLE.c.since < before))


def _start(now: datetime, within: timedelta) -> datetime:
    return datetime.fromtimestamp(now.timestamp() // within.total_seconds() * within.total_seconds(), UTC)
