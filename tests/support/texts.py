"""Briefings for the tests, complete enough to pass the standards without a word."""

from datetime import UTC, datetime, timedelta

_SENTENCE = (
    "Operators in the region say that the change lowers their yearly cost, and that the first machines will be in "
    "service before the next season begins."
)


def briefing(id: str, *, title: str = "", author: str = "mara", now: datetime | None = None, extra: str = "") -> str:
    """Return the file's text of a briefing that the gate passes at `now`."""
    found = (now or datetime.now(UTC)) - timedelta(hours=5)
    sections = "\n\n".join(
        f"## {heading}\n\nFor {id}, {heading.lower()}: {_SENTENCE} {_SENTENCE.replace('season', 'budget')}\n\n"
        f"{_SENTENCE.replace('yearly', 'hourly')} {last}"
        for heading, last in (
            ("What happened", "The supplier named three ports as its first customers."),
            ("Why it matters", "Competitors have announced nothing of the kind so far."),
            ("Buyer relevance", "IT procurement teams (it-procurement) should ask for the terms of service early."),
            ("What to watch next", "A decision of the regulator is expected within some weeks."),
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
    url: https://wire.example.org/{id}
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
