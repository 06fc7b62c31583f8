"""Schedules: sends that are to begin later, at a moment that is one in its time zone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from newsletter import audit
from newsletter.delivery.tables import SCHEDULE
from newsletter.errors import BadInput, NotFound, Refused
from newsletter.issues import issues
from newsletter.issues.models import IssueState

#: States in which an issue can wait for its time: its words are fixed, and nobody has it.
_WAITING = (IssueState.FROZEN, IssueState.CLEARED)
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?) ?(Z|[+-]\d{2}:?\d{2}|[A-Za-z][A-Za-z0-9_+/-]*)?")
_FORM = "%Y-%m-%d %H:%M"
_EXAMPLE = '"2026-12-01 07:00 Europe/Berlin" or 2026-12-01T06:00Z'


@dataclass(frozen=True, kw_only=True)
class ScheduleView:
    """A send that is to begin later; `missed` says that its hour passed while nothing looked."""

    issue: int
    at: datetime
    zone: str
    terms: dict[str, Any]
    missed: bool
    actor: str
    made_at: datetime

    @property
    def local(self) -> str:
        """Return the moment as it was given."""
        zone = _zone(self.zone)
        return f"{self.at.astimezone(zone):{_FORM}} {self.zone}"

    @property
    def audience(self) -> str:
        """Return for whom it is, as options of `newsletter send`."""
        named = (("--list", self.terms.get("lists", ())), ("--segment", self.terms.get("segments", ())))
        return " ".join(f"{option} {name}" for option, names in named for name in names)

    def __str__(self) -> str:
        """Return when the issue begins, or what to do as it did not."""
        if not self.missed:
            return f"begins {self.local}, by newsletter deliver"
        return (
            f"was to begin {self.local}, and nothing looked for it in time; send it now: newsletter send {self.issue} "
            f"{self.audience}, or give it another time: --at"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {
            "issue": self.issue, "at": self.at, "zone": self.zone, "local": self.local, "missed": self.missed,
            **self.terms, "actor": self.actor,
        }  # fmt: skip


def parse(text: str, now: datetime) -> tuple[datetime, str]:
    """Return the moment in UTC and the name of its zone; BadInput says why a text is none that is still to come."""
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        raise BadInput(f"{text!r} is no moment; write it as {_EXAMPLE}")
    day, clock, zone = found.groups()
    try:
        naive = datetime.fromisoformat(f"{day} {clock}")
    except ValueError as error:
        raise BadInput(f"{text!r} is on no calendar or clock ({error}); write it as {_EXAMPLE}") from error
    if not zone:
        raise BadInput(f"{text!r} names no time zone; write {day} {clock} Europe/Berlin, or {day} {clock}Z for UTC")
    name = "UTC" if zone == "Z" else zone
    try:
        at = _exact(naive, _zone(name), name).astimezone(UTC)
    except OverflowError as error:  # its year in UTC would be 0 or 10000
        raise BadInput(f"{text!r} is on no calendar in UTC; write it as {_EXAMPLE}") from error
    if at <= now:
        raise BadInput(f"{text!r} is past; it is {now.astimezone(UTC):{_FORM}} UTC now. To send at once leave out --at")
    return at, name


def _zone(name: str) -> tzinfo:
    if name[0] in "+-":
        hours, minutes = int(name[1:3]), int(name[-2:])
        if hours > 14 or minutes > 59:
            raise BadInput(f"{name} is no distance from UTC; write one such as +01:00")
        return timezone((-1 if name[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # not there, not a name, a folder
        raise BadInput(
            f"{name!r} is no time zone; write one such as Europe/Berlin, or an offset such as +01:00"
        ) from error


def _exact(naive: datetime, zone: tzinfo, name: str) -> datetime:
    """Return the one moment at which clocks in the zone show that time (PEP 495)."""
    first, second = naive.replace(tzinfo=zone), naive.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    there = first.astimezone(UTC).astimezone(zone)
    if there.replace(tzinfo=None) != naive:
        raise BadInput(
            f"{naive:{_FORM}} does not exist in {name}: clocks are put forward there over it; write "
            f"{there:{_FORM}} {name}"
        )
    ways = f"{_offset(first)} for the first, or {_offset(second)} for the second"
    raise BadInput(f"{naive:{_FORM}} is twice in {name}, as clocks are put back; say which: {ways}")


def _offset(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def add(
    session: Session,
    issue_id: int,
    at: datetime,
    *,
    zone: str,
    terms: Mapping[str, Any],
    replace: bool = False,
    actor: str,
    now: datetime,
) -> ScheduleView:
    """Keep that the send of a frozen issue is to begin then, with its `lists`, `segments` and what else it needs.

    An issue has one time; another takes its place only with `replace`, or where the first was missed.
    """
    issue = issues.get(session, issue_id)
    if issue.state not in _WAITING:
        raise Refused(f"issue {issue_id} is {issues.standing(issue.state)}. {issues.next_step(issue)}")
    if not replace:
        require_none(session, issue_id)
    forget(session, issue_id)
    terms = {**terms, "lists": [*issues.lists_of(session, issue_id, terms.get("lists", ()))]}
    words: dict[str, Any] = {
        "at": at,
        "zone": zone,
        "terms": terms,
        "missed": False,
        "actor": actor,
        "made_at": now,
    }
    session.execute(insert(SCHEDULE).values(issue_id=issue_id, **words))
    audit.append(
        session, "scheduled", actor=actor, kind="issue", name=issue_id, now=now, at=at.isoformat(), zone=zone, **terms
    )
    return ScheduleView(issue=issue_id, **words)


def find(session: Session, issue_id: int) -> ScheduleView | None:
    """Return the time of an issue, None where it has none."""
    row = session.execute(select(SCHEDULE).where(SCHEDULE.c.issue_id == issue_id)).first()
    return _view(row._mapping) if row else None


def all(session: Session) -> list[ScheduleView]:
    """Return every issue's time, the first to come first."""
    order = (SCHEDULE.c.at, SCHEDULE.c.issue_id)
    return [_view(row._mapping) for row in session.execute(select(SCHEDULE).order_by(*order))]


def remove(session: Session, issue_id: int, *, actor: str, now: datetime) -> ScheduleView:
    """Take the time of an issue away, and return it; the issue stays frozen."""
    found = find(session, issue_id)
    if found is None:
        issues.get(session, issue_id)
        raise NotFound(f"issue {issue_id} is not to begin by itself; see which are: newsletter schedule list")
    forget(session, issue_id)
    audit.append(session, "unscheduled", actor=actor, kind="issue", name=issue_id, now=now, at=found.at.isoformat())
    return found


def require_none(session: Session, issue_id: int) -> None:
    """Refuse a step that an issue cannot take while it waits for its time."""
    waiting = find(session, issue_id)
    if waiting and not waiting.missed:
        raise Refused(f"issue {issue_id} {waiting}; take that time away first: newsletter schedule remove {issue_id}")


def forget(session: Session, issue_id: int) -> None:
    """Drop the time of an issue that has begun, or never will."""
    session.execute(delete(SCHEDULE).where(SCHEDULE.c.issue_id == issue_id))


def due(session: Session, now: datetime, late: timedelta) -> list[ScheduleView]:
    """Return the issues whose hour has come; one that is later than `late` is marked as missed, and not returned.

    The time of an issue that somebody has sent or given up meanwhile is dropped.
    """
    sweep(session)
    found = []
    for each in all(session):
        if each.at <= now and not each.missed:
            if now - each.at <= late:
                found.append(each)
            else:
                session.execute(update(SCHEDULE).where(SCHEDULE.c.issue_id == each.issue).values(missed=True))
    return found


def sweep(session: Session) -> None:
    """Drop the times of issues that have begun, or were given up."""
    for each in all(session):
        if issues.get(session, each.issue).state not in _WAITING:
            forget(session, each.issue)


def _view(row: Mapping[Any, Any]) -> ScheduleView:
    words = {str(name): value for name, value in row.items() if name != "issue_id"}
    return ScheduleView(issue=row["issue_id"], **words)
