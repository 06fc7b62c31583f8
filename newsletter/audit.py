"""The desk's record of who did what: appended only, each entry chained to the one before by its hash."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, text
from sqlmodel import Field, Session, SQLModel, col, select

from newsletter.errors import Refused
from subscribers.columns import BigKey

#: What the first entry is chained to.
START = "0" * 64
_LOCK = 0x6E657773  # any number that no other PostgreSQL advisory lock of the desk uses


class AuditEntry(SQLModel, table=True):
    """One thing that somebody did to one object."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    at: datetime
    actor: str = Field(max_length=80)
    action: str = Field(max_length=40)
    kind: str = Field(max_length=40, index=True)
    name: str = Field(max_length=120, index=True)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous: str = Field(max_length=64)
    sha256: str = Field(max_length=64, unique=True)


def append(
    session: Session, action: str, *, actor: str, kind: str, name: object, now: datetime, **detail: Any
) -> AuditEntry:
    """Add an entry that says `actor` did `action` to the `kind` called `name`."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    newest = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(1)).first()
    entry = AuditEntry(
        at=now, actor=actor, action=action, kind=kind, name=str(name), detail=detail,
        previous=newest.sha256 if newest else START, sha256="",
    )  # fmt: skip
    entry.sha256 = digest(entry)
    session.add(entry)
    session.flush()
    return entry


def digest(entry: AuditEntry) -> str:
    """Return the hash that the entry must carry: over its own words and the hash before it."""
    return seal(written(entry))


def written(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as a file has it, with everything that its hash is made of."""
    return {
        "at": entry.at.astimezone(UTC).isoformat(), "actor": entry.actor, "action": entry.action, "kind": entry.kind,
        "name": entry.name, "detail": entry.detail, "previous": entry.previous, "sha256": entry.sha256,
    }  # fmt: skip


def seal(entry: Mapping[str, Any]) -> str:
    """Return the hash that an entry as a file has it must carry."""
    words = [entry[name] for name in ("previous", "at", "actor", "action", "kind", "name", "detail")]
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def entries(session: Session, kind: str, name: object) -> list[AuditEntry]:
    """Return what was done to one object, oldest first."""
    query = select(AuditEntry).where(AuditEntry.kind == kind, AuditEntry.name == str(name))
    return list(session.exec(query.order_by(col(AuditEntry.id))))


def chain(session: Session) -> list[str]:
    """Return the hash of every entry, oldest first."""
    return list(session.exec(select(AuditEntry.sha256).order_by(col(AuditEntry.id))))


def verify(session: Session) -> int:
    """Return how many entries the chain has, or refuse at the first that does not fit the one before it.

    Newest entries that were taken away leave a shorter chain that fits: compare the count with a backup's.
    """
    previous, count = START, 0
    entries = select(AuditEntry).order_by(col(AuditEntry.id)).execution_options(yield_per=1000)
    for entry in session.exec(entries):
        if entry.previous != previous or entry.sha256 != digest(entry):
            raise Refused(
                f"audit entry {entry.id} ({entry.action} {entry.kind} {entry.name}, {entry.at:%Y-%m-%d %H:%M}) does "
                "not fit the chain: it or the one before it was changed; compare with a backup"
            )
        previous, count = entry.sha256, count + 1
    return count
