"""Corrections: what readers were told that was wrong, and when the desk said so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session, col, select

from newsletter.audit import AuditEntry
from newsletter.editorial.models import Briefing
from newsletter.web.site import PUBLIC, READ, Here

router = APIRouter()

#: How many the page shows.
MOST = 200


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What was wrong in a briefing that readers have, as the desk put it on record."""

    briefing: str
    title: str
    words: str
    at: datetime


@router.api_route("/corrections", methods=READ)
def show(site: Here) -> Response:
    """List what was corrected, newest first: only what readers have can be."""
    with site.reading() as session:
        found = log(session)
    return site.page("corrections", headers=PUBLIC, corrections=found, reply_to=site.settings.sender.reply_to)


def log(session: Session) -> list[Correction]:
    """Return the newest corrections, newest first."""
    return list(_read(session, most=MOST))


def of(session: Session, briefing: str) -> list[Correction]:
    """Return what was corrected in a briefing, newest first."""
    return list(_read(session, AuditEntry.name == briefing, most=MOST))


def _read(session: Session, *conditions: bool, most: int) -> Iterator[Correction]:
    entries = (
        select(AuditEntry, Briefing.title).join(Briefing, col(Briefing.id) == AuditEntry.name)
        .where(AuditEntry.kind == "briefing", AuditEntry.action == "corrected", *conditions)
        .order_by(col(AuditEntry.id).desc()).limit(most)
    )  # fmt: skip
    for entry, title in session.exec(entries):
        yield Correction(briefing=entry.name, title=title, words=entry.detail.get("reason", ""), at=entry.at)
