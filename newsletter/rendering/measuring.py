"""Measuring: how large an issue is when it is set, and how much of it mail programs show."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.issues.content import IssueContent
from newsletter.rendering import press
from newsletter.rendering.checks.size import CLIPPED
from newsletter.settings import Settings
from subscribers.tokens import Keyring


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How many bytes of HTML an issue has with every part in it, and how many of its first items fit into a limit."""

    bytes: int
    fits: int
    limit: int

    @property
    def kilobytes(self) -> int:
        """Return the size as people say it."""
        return round(self.bytes / 1000)


def measure(
    content: IssueContent, settings: Settings, *, keyring: Keyring, limit: int = CLIPPED, now: datetime
) -> Measure:
    """Return how large an issue is; where it is larger than the limit it is set again, with fewer items each time."""
    links = press.links(settings, content.id, keyring=keyring)

    def weigh(items: int) -> int:
        first = replace(content, items=content.items[:items])
        return len(press.render(first, settings, links, dated=now.date()).whole().html.encode())

    size, items = weigh(len(content.items)), len(content.items)
    fits = items if size <= limit else bisect_right(range(1, items), limit, key=weigh)
    return Measure(bytes=size, fits=fits, limit=limit)
