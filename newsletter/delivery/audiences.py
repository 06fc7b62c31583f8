"""The audience of one issue: whom its lists and segments bring a copy, and who of them wants no mail now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlmodel import Session

from newsletter.delivery import frequency, holders
from newsletter.delivery.tables import DELIVERY
from newsletter.errors import Refused
from newsletter.issues import corrections
from newsletter.words import counted
from subscribers import audience


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many readers get a copy, and how many of the chosen want fewer mails, by reason."""

    readers: int
    held: dict[str, int]

    @property
    def audience(self) -> int:
        """Return how many are chosen."""
        return self.readers + sum(self.held.values())

    @property
    def fewer(self) -> str:
        """Return how many are left out, as a clause."""
        held = self.audience - self.readers
        return f"{counted(held, 'more wants', 'more want')} fewer mails"


def choose(
    session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], now: datetime
) -> Select[*tuple[Any, ...]]:
    """Return the query of (subscriber_id, list_id, reason), each reader once; the reason says why one gets no copy.

    A correction chooses its readers itself: those who have the briefing, however often they want mail.
    """
    if carried := corrections.carried(session, issue_id):
        if lists or segments:
            raise Refused(
                f"issue {issue_id} is a correction, and goes to those who have the briefing; send it without --list "
                f"and --segment: newsletter corrections send {carried.id}"
            )
        told = holders.choose(carried.briefing).subquery("told")
        return select(told.c.subscriber_id, told.c.list_id, literal("").label("reason"))
    chosen = audience.choose(session, lists=lists, segments=segments, now=now).subquery("chosen")
    moment = DELIVERY.c.changed_at.type
    since = {word: literal(after, moment) for word, after in frequency.since(now).items()}
    reason = frequency.reason(
        chosen.c.frequency, chosen.c.subscriber_id, literal(issue_id), states=frequency.COMING, since=since,
        paused=chosen.c.paused_until > now,
    )  # fmt: skip
    return select(chosen.c.subscriber_id, chosen.c.list_id, reason.label("reason"))


def count(session: Session, issue_id: int, *, lists: Sequence[str], segments: Sequence[str], now: datetime) -> Size:
    """Return how large the audience is, as `choose` has it."""
    chosen = choose(session, issue_id, lists=lists, segments=segments, now=now).subquery()
    found = dict(session.execute(select(chosen.c.reason, func.count()).group_by(chosen.c.reason)).all())
    return Size(readers=found.pop("", 0), held=dict(sorted(found.items())))
