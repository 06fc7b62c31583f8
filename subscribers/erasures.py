"""Erasures: of an erased person only a keyed hash of the address stays, so that no import brings it back."""

import hmac
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session

from subscribers import upsert
from subscribers.models import Erasure
from subscribers.tokens import Keyring, Purpose

_TABLE = upsert.table(Erasure)


def digest(keyring: Keyring, number: int, key: str) -> str:
    """Return the hash of an address's key under one of our keys, in hexadecimal (HMAC-SHA256, RFC 2104)."""
    return hmac.digest(keyring.keys[number], f"{Purpose.ERASURE}\0{key}".encode(), "sha256").hex()


def among(session: Session, keyring: Keyring, keys: Collection[str]) -> set[str]:
    """Return those of the addresses' keys that belong to erased people."""
    found: set[str] = set()
    for number in session.scalars(select(_TABLE.c.key_id).distinct()):
        if number in keyring.keys:
            hashes = {digest(keyring, number, key): key for key in keys}
            erased = select(_TABLE.c.digest).where(_TABLE.c.digest.in_(hashes))
            found |= {hashes[each] for each in session.scalars(erased)}
    return found


def keep(session: Session, keyring: Keyring, key: str, *, now: datetime) -> None:
    """Keep the hash of an address, and nothing else."""
    row = {"key_id": keyring.newest, "digest": digest(keyring, keyring.newest, key), "at": now}
    session.execute(upsert.into(session, Erasure).on_conflict_do_nothing(), row)


def forget(session: Session, keyring: Keyring, key: str) -> None:
    """Let an erased address in again: its owner asked to come back."""
    hashes = [digest(keyring, number, key) for number in keyring.keys]
    session.execute(delete(_TABLE).where(_TABLE.c.digest.in_(hashes)))
