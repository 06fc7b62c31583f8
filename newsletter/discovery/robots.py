"""Robots: what a host lets programs read (RFC 9309). Asked once for each host, through the careful fetcher."""

import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from newsletter.fetching import Client, NoAnswer

#: RFC 9309 2.5: so much of the file is read at least.
LARGEST = 500 * 1024


@dataclass
class Robots:
    """Says whether a page may be read by the program that `client` calls itself; threads may share it.

    After a host was asked for its rules, it is left alone for `pause` seconds.
    """

    client: Client
    pause: float = 0.0
    _known: dict[str, str | None] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def refusal(self, url: str) -> str:
        """Return why a page may not be read, the empty string where it may."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            known, rules = place in self._known, self._known.get(place)
        if not known:  # a host has one turn at a time, so nobody else asks it meanwhile
            rules = self._rules(place)
            with self._lock:
                self._known[place] = rules
            time.sleep(self.pause)
        if rules is None:
            return "its robots.txt cannot be read"
        from protego import Protego  # an extra; who asks has seen that it is there

        allowed = Protego.parse(rules).can_fetch(url, self.client.agent)
        return "" if allowed else "its robots.txt asks programs not to read it"

    def _rules(self, place: str) -> str | None:
        """Return the rules of a host; nothing is forbidden where there are none, all where none can be had (2.3.1)."""
        try:
            answer = self.client.get(f"{place}/robots.txt")
        except NoAnswer:
            return None
        if answer.status == 200:
            return answer.body[:LARGEST].decode("utf-8", "replace")
        return "" if 400 <= answer.status < 500 and answer.status != 429 else None
