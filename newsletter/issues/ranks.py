"""Ranks: which of the briefings that wait comes first, by a score and by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from newsletter import audit
from newsletter.editorial import standings
from newsletter.editorial.models import BriefingState
from newsletter.errors import BadInput, Refused
from newsletter.issues.models import Rank

#: The highest score.
HIGHEST = 100
#: What no issue takes any more, whatever its rank.
_GONE = (BriefingState.KILLED, BriefingState.SPIKED)


@dataclass(frozen=True, kw_only=True)
class RankView:
    """What a briefing weighs: its score, None without one, and the place that somebody gave it, counted from 1."""

    score: int | None = None
    place: int | None = None
    person: str = ""
    at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it in the words of the command line's JSON."""
        return {"score": self.score, "place": self.place}

    def __str__(self) -> str:
        """Return it as a clause."""
        place = "" if self.place is None else "the lead" if self.place == 1 else f"item {self.place}"
        score = "" if self.score is None else f"score {self.score}"
        return ", ".join(filter(None, (place, score))) or "the newest first"


#: What weighs nothing: the newest comes first.
NONE = RankView()


def set(
    session: Session, briefing: str, *, score: int | None = None, place: int | None = None, actor: str, now: datetime
) -> RankView:
    """Give a briefing a score or a place in the issues that are composed from now on; what is None stays as it is."""
    if score is not None and not 0 <= score <= HIGHEST:
        raise BadInput(f"a score of {score} is none; write one from 0 to {HIGHEST}")
    if place is not None and place < 1:
        raise BadInput(f"place {place} is none; the lead is 1")
    if (state := standings.get(session, briefing).state) in _GONE:
        raise Refused(f"briefing {briefing} is {state}, and no issue takes it; rank another")
    row = session.get(Rank, briefing, with_for_update=True) or Rank(briefing_id=briefing, person=actor, at=now)
    row.score = row.score if score is None else score
    row.place = row.place if place is None else place
    row.person, row.at = actor, now
    session.add(row)
    session.flush()
    audit.append(
        session, "ranked", actor=actor, kind="briefing", name=briefing, now=now, score=row.score, place=row.place
    )
    return _view(row)


def clear(session: Session, briefing: str, *, actor: str, now: datetime) -> RankView:
    """Take a briefing's score and place away, and return what is left: nothing."""
    standings.get(session, briefing)
    if row := session.get(Rank, briefing):
        session.delete(row)
        session.flush()
        audit.append(session, "ranked", actor=actor, kind="briefing", name=briefing, now=now, score=None, place=None)
    return NONE


def all(session: Session) -> dict[str, RankView]:
    """Return by briefing what each weighs that weighs anything."""
    return {row.briefing_id: _view(row) for row in session.exec(select(Rank).order_by(col(Rank.briefing_id)))}


def ordered(waiting: Sequence[tuple[str, datetime]], ranks: Mapping[str, RankView]) -> list[str]:
    """Return the briefings as room is given to them: what has a place, then by score, then the newest."""

    def weight(each: tuple[str, datetime]) -> tuple[float, float, float, str]:
        name, at = each
        rank = ranks.get(name, NONE)
        place = rank.place or float("inf")
        return place, -1.0 if rank.score is None else -1.0 - rank.score, -at.timestamp(), name

    return [name for name, _ in sorted(waiting, key=weight)]


def placed(picks: Sequence[str], ranks: Mapping[str, RankView]) -> tuple[str, ...]:
    """Return an issue's picks with each that has a place in it, or at the end where there are fewer items."""
    rest = [name for name in picks if ranks.get(name, NONE).place is None]
    for name in picks:
        place = ranks.get(name, NONE).place
        if place is not None:
            rest.insert(place - 1, name)
    return tuple(rest)


def _view(row: Rank) -> RankView:
    return RankView(score=row.score, place=row.place, person=row.person, at=row.at)
