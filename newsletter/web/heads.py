"""Heads: the links in mail that somebody looked at by HEAD, which scanners do before they open one."""

from datetime import datetime, timedelta

#: How long it is remembered that somebody asked for a link by HEAD, and of how many links at most.
REMEMBERED, MOST = timedelta(minutes=1), 10_000


class Heads:
    """What was asked for by HEAD lately, in this process; nothing of it is stored."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], datetime] = {}

    def note(self, link: tuple[str, int], now: datetime) -> None:
        """Remember that a link was asked for."""
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen[link] = now

    def saw(self, link: tuple[str, int], now: datetime) -> bool:
        """Return whether the link was asked for within a minute."""
        at = self._seen.get(link)
        return at is not None and now - at < REMEMBERED
