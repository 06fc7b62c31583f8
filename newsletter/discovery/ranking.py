"""Ranking: which stories of the inbox an editor sees first. Fresh ones, told by several, of the desk's own subjects."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from newsletter.discovery.inbox import ItemView
from newsletter.discovery.memory import Memory
from newsletter.discovery.models import ItemState

#: Hours in which freshness halves; what each doubling of sources, a known topic and a hand that took it up add; what
#: a story that the desk has told loses.
HALF, SOURCES, TOPIC, TAKEN_UP, TOLD = 24.0, 0.4, 0.3, 1.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Story(ItemView):
    """A line of the inbox: an item, the `sources` that tell it, what it may be about, and who has `covered` it."""

    sources: tuple[str, ...]
    items: tuple[int, ...]
    topics: tuple[str, ...]
    covered: str
    score: float


def rank(found: Iterable[ItemView], memory: Memory, *, now: datetime) -> list[Story]:
    """Return the stories that items tell, the best first; each stands under its first item that somebody took up."""
    stories: dict[int, list[ItemView]] = defaultdict(list)
    for item in found:
        stories[item.cluster or item.id].append(item)
    made = [_story(sorted(members, key=_place), memory, now) for members in stories.values()]
    return sorted(made, key=lambda story: (-story.score, story.id))


def _place(item: ItemView) -> tuple[bool, int]:
    return item.state is ItemState.NEW, item.id


def _story(members: list[ItemView], memory: Memory, now: datetime) -> Story:
    lead = members[0]
    said = f"{lead.title} {lead.title} {lead.summary[:1000]}"
    topics, covered = memory.topics(said), memory.covered(said)
    sources = tuple(dict.fromkeys(item.feed for item in members))
    newest = max(item.published or item.found_at for item in members)
    hours = max(0.0, (now - newest).total_seconds() / 3600)
    score = (
        0.5 ** (hours / HALF)
        + SOURCES * math.log2(len(sources))
        + TOPIC * bool(topics)
        + TAKEN_UP * (lead.state in (ItemState.SHORTLISTED, ItemState.CLAIMED))
        - TOLD * bool(covered)
    )
    return Story(
        **asdict(lead), sources=sources, items=tuple(item.id for item in members), topics=topics, covered=covered,
        score=round(score, 4),
    )  # fmt: skip
