"""Triage: an editor's way through the inbox, one story after another, and the way back from each decision.

What a decision changed is kept as it was before, so that it can be taken back; what somebody else decided meanwhile
is left alone, and said.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from newsletter.discovery import inbox
from newsletter.discovery.models import ItemState, SourceItem
from newsletter.discovery.ranking import Story
from newsletter.errors import Refused

#: Reasons for a dismissal that are proposed as long as the desk has given no other.
USUAL = ("not our subject", "old news", "advertising", "nothing new in it", "no source that can be checked")
#: How many reasons are proposed: each has a digit for its key.
_REASONS = 9


class Overtaken(Refused):
    """Somebody else decided of a story while an editor looked at it."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """How an item stands: everything that a decision changes of it."""

    id: int
    state: ItemState
    snoozed_until: datetime | None
    reason: str
    handled_by: str
    handled_at: datetime | None
    briefing_id: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided of a story, and how its items stood before and after."""

    story: int
    state: ItemState
    before: tuple[Held, ...]
    after: tuple[Held, ...]


@dataclass
class Walk:
    """Where an editor is among the stories, what they saw, and what they decided, the newest decision last."""

    stories: Sequence[Story]
    place: int = 0
    decisions: list[Decision] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    #: what could not be taken back
    fixed: list[Decision] = field(default_factory=list)

    @property
    def current(self) -> Story | None:
        """Return the story before the editor, None behind the last."""
        return self.stories[self.place] if self.place < len(self.stories) else None

    def forward(self) -> None:
        """Go to the next story, or behind the last."""
        self.place = min(self.place + 1, len(self.stories))

    def back(self) -> None:
        """Go to the story before, if there is one."""
        self.place = max(self.place - 1, 0)

    def keep(self, decision: Decision) -> None:
        """Note a decision of the story before the editor, and go on."""
        self.decisions.append(decision)
        self.forward()

    def retrace(self, decision: Decision) -> None:
        """Forget a decision that was taken back, and return to its story."""
        self.decisions.remove(decision)
        self.place = next(place for place, story in enumerate(self.stories) if story.id == decision.story)

    def fix(self, decision: Decision) -> None:
        """Note that a decision cannot be taken back; the ones before it still can."""
        self.decisions.remove(decision)
        self.fixed.append(decision)

    def told(self) -> str:
        """Return how many stories were seen, and what was decided of them last."""
        last = {decision.story: decision.state for decision in (*self.fixed, *self.decisions)}
        decided = Counter(last.values())
        left = len(self.seen - last.keys())
        parts = [f"{count} {state}" for state, count in sorted(decided.items())] + [f"{left} left"] * bool(left)
        return f"{len(self.seen)} seen{': ' if parts else ''}{', '.join(parts)}"


def undecided(stories: Sequence[Story]) -> list[Story]:
    """Return the stories that nobody has taken up yet."""
    return [story for story in stories if story.state in (ItemState.NEW, ItemState.SNOOZED)]


def held(session: Session, story: int, *, lock: bool = False) -> tuple[Held, ...]:
    """Return how a story's items stand, by number; `lock` keeps others from deciding until the transaction ends."""
    members = [each.id for each in inbox.story(session, story)]
    query = select(SourceItem).where(col(SourceItem.id).in_(members)).order_by(col(SourceItem.id))
    query = query.execution_options(populate_existing=True)
    return tuple(_held(item) for item in session.exec(query.with_for_update() if lock else query))


def _held(item: SourceItem) -> Held:
    assert item.id is not None
    return Held(
        id=item.id, state=item.state, snoozed_until=item.snoozed_until, reason=item.reason,
        handled_by=item.handled_by, handled_at=item.handled_at, briefing_id=item.briefing_id,
    )  # fmt: skip


def require(session: Session, story: int, seen: Sequence[Held]) -> tuple[Held, ...]:
    """Return how a story's items stand; Overtaken when one is not as the editor saw it any more."""
    now = held(session, story, lock=True)
    standing = {each.id: each for each in now}
    for each in seen:
        found = standing.get(each.id, each)
        if found != each:
            by = f" by {found.handled_by}" if found.handled_by else ""
            raise Overtaken(f"item {each.id} was {found.state}{by} meanwhile; see: newsletter inbox show {each.id}")
    return now


def decide(
    session: Session, story: int, to: ItemState, *, seen: Sequence[Held], reason: str = "",
    until: datetime | None = None, actor: str, now: datetime,
) -> Decision:  # fmt: skip
    """Shortlist a story, dismiss it for a reason, or snooze it until a moment, if it still stands as it was seen."""
    before = require(session, story, seen)
    if to is ItemState.DISMISSED:
        inbox.dismiss(session, [story], reason=reason, actor=actor, now=now)
    elif to is ItemState.SNOOZED and until:
        inbox.snooze(session, [story], until=until, actor=actor, now=now)
    else:
        inbox.shortlist(session, [story], actor=actor, now=now)
    return Decision(story=story, state=to, before=before, after=held(session, story))


def undo(session: Session, decision: Decision) -> int:
    """Put a story's items back as they stood before a decision, all or none; return how many that moved."""
    if decision.state is ItemState.CLAIMED:
        name = next(each.briefing_id for each in decision.after if each.briefing_id)
        raise Refused(
            f"briefing {name} was begun and stays; put it aside: newsletter briefings spike {name} --reason WHY"
        )
    standing = {each.id: each for each in held(session, decision.story, lock=True)}
    changed = [(old, new) for old, new in zip(decision.before, decision.after, strict=True) if old != new]
    for _, new in changed:
        found = standing.get(new.id)
        if found != new:
            by = f" by {found.handled_by}" if found and found.handled_by else ""
            state = found.state if found else "gone"
            raise Refused(f"item {new.id} is {state}{by} since; it is left so: newsletter inbox show {new.id}")
    for old, _ in changed:
        values = {name: value for name, value in vars(old).items() if name != "id"}
        session.execute(update(SourceItem).where(col(SourceItem.id) == old.id).values(**values))
    session.expire_all()
    return len(changed)


def reasons(session: Session) -> tuple[str, ...]:
    """Return the reasons for which the desk dismissed most stories, and the usual ones while there are few."""
    often = func.count().desc(), func.max(SourceItem.handled_at).desc(), col(SourceItem.reason)
    dismissed = select(SourceItem.reason).where(SourceItem.state == ItemState.DISMISSED, SourceItem.reason != "")
    query = dismissed.group_by(SourceItem.reason).order_by(*often).limit(_REASONS)
    return tuple(dict.fromkeys([*session.exec(query), *USUAL]))[:_REASONS]
