"""Editions: the moments of recurring issues, each taken up once, with what became of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from newsletter.delivery.models import Edition, Made
from newsletter.delivery.tables import EDITION
from subscribers import upsert


@dataclass(frozen=True, kw_only=True)
class EditionView:
    """One moment of a recurring issue; `issue` is None where none was composed, and `sends` says that it goes out."""

    name: str
    at: datetime
    made: Made
    issue: int | None
    sends: bool
    note: str

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {"schedule": self.name, "at": self.at, "made": self.made, "issue": self.issue, "note": self.note}

    def __str__(self) -> str:
        """Return what became of it, as a sentence has it."""
        told = {
            Made.BEGUN: "is composed now",
            Made.ISSUE: f"is issue {self.issue}",
            Made.NOTHING: "made no issue",
            Made.REFUSED: "cannot be made" if self.issue is None else f"is issue {self.issue}, and not frozen",
            Made.MISSED: "was missed",
        }[self.made]
        return f"{self.name} of {self.at:%Y-%m-%d %H:%M} UTC {told}{f': {self.note}' if self.note else ''}"


def begin(session: Session, name: str, at: datetime, *, sends: bool, now: datetime) -> bool:
    """Take a moment up, and return whether it is this call's: nobody else did, or does now."""
    row = {"name": name, "at": at, "made": Made.BEGUN, "sends": sends, "note": "", "made_at": now}
    made = upsert.into(session, Edition).on_conflict_do_nothing().returning(EDITION.c.id)
    return session.execute(made, row).first() is not None


def record(
    session: Session, name: str, at: datetime, made: Made, *, issue: int | None = None, note: str = ""
) -> EditionView:
    """Keep what became of a moment that was taken up, and return it."""
    which = (EDITION.c.name == name, EDITION.c.at == at)
    session.execute(update(EDITION).where(*which).values(made=made, issue_id=issue, note=note[:2000]))
    return _view(session.execute(select(EDITION).where(*which)).one()._mapping)


def newest(session: Session) -> dict[str, EditionView]:
    """Return by name the newest moment of each recurring issue that had any."""
    last = select(EDITION.c.name, func.max(EDITION.c.at).label("at")).group_by(EDITION.c.name).subquery()
    query = select(EDITION).join(last, (EDITION.c.name == last.c.name) & (EDITION.c.at == last.c.at))
    return {row.name: _view(row._mapping) for row in session.execute(query)}


def of(session: Session, issues: Collection[int]) -> dict[int, EditionView]:
    """Return by issue the moment that made it, for those that came by themselves."""
    query = select(EDITION).where(EDITION.c.issue_id.in_(issues))
    return {row.issue_id: _view(row._mapping) for row in session.execute(query)}


def _view(row: Mapping[Any, Any]) -> EditionView:
    return EditionView(
        name=row["name"], at=row["at"], made=Made(row["made"]), issue=row["issue_id"], sends=row["sends"],
        note=row["note"],
    )  # fmt: skip
