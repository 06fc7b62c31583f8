"""Selecting: what one issue has room for, and why the rest has to wait."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from newsletter.editorial import text
from newsletter.editorial.body import parts
from newsletter.editorial.document import Document
from newsletter.errors import Refused

#: How many words a reader reads in a minute.
PACE = 238
#: How many minutes a reader gives an issue.
MINUTES = 12


@dataclass(frozen=True, kw_only=True)
class Room:
    """What an issue has room for: items in all, items of each topic, minutes of reading; 0 sets no limit."""

    items: int = 0
    per_topic: int = 0
    minutes: int = 0


#: No limit at all.
ENDLESS = Room()


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The briefings that an issue takes, in order, and why each other one that waits is left out."""

    picks: tuple[str, ...]
    left: dict[str, str] = field(default_factory=dict)

    def cut(self, count: int, why: str) -> "Selection":
        """Return the selection with its first so many picks, and why the others are left out."""
        return Selection(picks=self.picks[:count], left={**dict.fromkeys(self.picks[count:], why), **self.left})

    def require(self) -> None:
        """Refuse when all that waits is left out, with the reasons."""
        if self.left and not self.picks:
            reasons = "; ".join(f"{briefing}: {why}" for briefing, why in self.left.items())
            raise Refused(f"there is nothing to compose now ({reasons}); see what waits: newsletter briefings list")


def fit(documents: Sequence[Document], room: Room) -> Selection:
    """Return which briefings fit, taken in their order: the first does always, and a short one after a long one may."""
    picks: list[str] = []
    left: dict[str, str] = {}
    topics: Counter[str] = Counter()
    minutes = 0.0
    for document in documents:
        takes = reading(document)
        full = next((topic for topic in document.topics if room.per_topic and topics[topic] >= room.per_topic), "")
        if room.items and len(picks) >= room.items:
            left[document.id] = f"the issue is full (--limit {room.items})"
        elif full:
            left[document.id] = f"the issue has {topics[full]} about {full} already (--per-topic)"
        elif picks and room.minutes and minutes + takes > room.minutes:
            left[document.id] = f"the issue would take {minutes + takes:.1f} minutes to read (--max-minutes)"
        else:
            picks.append(document.id)
            topics.update(set(document.topics))
            minutes += takes
    return Selection(picks=tuple(picks), left=left)


def reading(document: Document) -> float:
    """Return how many minutes a briefing takes to read."""
    return sum(text.length(words) for words in parts(document).values()) / PACE
