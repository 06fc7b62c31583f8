"""Briefings for the tests, complete enough to pass the standards without a word."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_SENTENCE = (
    "Operators in the region say that the change lowers their yearly cost, and that the first machines will be in "
    "service before the next season begins."
)


_SYLLABLES = [f"{first}{second}" for first in "bdfgklmnprstv" for second in "aeiou"]
#: Twenty-five words, fourteen of them a story's own.
_FRAME = "The {} of the {} {} and {} have {} {} with {} {}, so that {} {} may {} the {} {} before {} is there."


def _sentences(story: str) -> Iterator[str]:
    """Yield sentences that no other story has a word of, but for what holds sentences together."""
    chance = random.Random(story)
    while True:
        coined = [f"{''.join(chance.choices(_SYLLABLES, k=3))}" for _ in range(14)]
        yield _FRAME.format(*coined)


def briefing(
    id: str,
    *,
    title: str = "",
    author: str = "mara",
    now: datetime | None = None,
    extra: str = "",
    story: str = "",
    page: str = "",
) -> str:
    """Return the file's text of a briefing that the gate passes at `now`.

    It tells a story of its own and cites a page of its own, or those of the briefings that are named.
    """
    found = (now or datetime.now(UTC)) - timedelta(hours=5)
    own = _sentences(story or id)
    sections = "\n\n".join(
        f"## {heading}\n\nFor {id}, {heading.lower()}: {first or next(own)} {next(own)}\n\n{next(own)} {last}"
        for heading, first, last in (
            ("What happened", _SENTENCE, "The supplier named three ports as its first customers."),
            ("Why it matters", "", "Competitors have announced nothing of the kind so far."),
            ("Buyer relevance", "", "IT procurement teams (it-procurement) should ask for the terms of service early."),
            ("What to watch next", "", "A decision of the regulator is expected within some weeks."),
        )
    )
    return f"""\
---
format: briefing/1
id: {id}
language: en
desk: Ports
label: briefing
topics: [networks]
audience: [it-procurement]
author: {author}
assistance: none
{extra}sources:
  - name: Example Wire
    url: https://wire.example.org/{page or id}
    title: As the wire had it
    published: {(found - timedelta(hours=2)).isoformat(timespec="seconds")}
    retrieved: {found.isoformat(timespec="seconds")}
    role: discovery
---

# {title or f"What {id} will change in the harbours"}

The story of {id} begins with a tender that two harbours published together. Its result surprised the trade: the
cheapest offer came from a newcomer, and the usual suppliers now have to explain their prices to their customers.

## Key points

- Two harbours bought together for the first time
- A newcomer made the cheapest offer by far
- Usual suppliers must explain their prices now

{sections}
"""
