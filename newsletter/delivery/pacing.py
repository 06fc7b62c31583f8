"""Pacing: how many messages may go within a time, by a rate and by a window that slides along.

Moments are seconds of a clock that never goes back.
"""

from collections import deque

#: How long a burst a rate allows, in seconds: timers are late by more than the pause between two messages.
BURST = 0.1
#: A window remembers its messages in so many groups, so that a limit of a million a day costs no more than one of ten.
GROUPS = 1000


class Rate:
    """Messages a second, with a small burst: a token bucket, kept as the moment at which it is full again."""

    __slots__ = ("_each", "_full_at", "_slack")

    def __init__(self, per_second: float) -> None:
        self._each = 1 / per_second
        self._slack = max(BURST - self._each, 0.0)
        self._full_at = float("-inf")

    def wait(self, now: float) -> float:
        """Return how many seconds are left until a message may go; at most 0 when it may."""
        return self._full_at - self._slack - now

    def took(self, now: float) -> None:
        """Count a message."""
        self._full_at = max(self._full_at, now) + self._each


class Window:
    """So many messages within any stretch of time, which slides along."""

    __slots__ = ("_count", "_grain", "_groups", "_limit", "stretch")

    def __init__(self, limit: int, stretch: float) -> None:
        self.stretch = stretch
        self._limit = limit
        self._grain = stretch / GROUPS
        self._count = 0
        #: the first moment, the last moment and the number of each group; its messages leave the window with the last
        self._groups: deque[tuple[float, float, int]] = deque()

    def wait(self, now: float) -> float:
        """Return how many seconds are left until a message may go; at most 0 when it may."""
        groups = self._groups
        while groups and groups[0][1] + self.stretch - now <= 0:
            self._count -= groups.popleft()[2]
        return 0.0 if self._count < self._limit else groups[0][1] + self.stretch - now

    def took(self, now: float) -> None:
        """Count a message."""
        self._count += 1
        first, count = now, 1
        if self._groups and now - self._groups[-1][0] < self._grain:
            first, _, earlier = self._groups.pop()
            count += earlier
        self._groups.append((first, now, count))
