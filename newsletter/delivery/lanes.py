"""Lanes: how much mail may be under way to a relay, and by it to one domain, slower when that is asked for.

A lane allows as many messages at once as its answers earn: halved when the other side is in trouble, and one more for
each round of answers that went well, as Postfix does it (its SCHEDULER_README). All of it is arithmetic: moments are
seconds of a clock that never goes back, and come in as arguments.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from newsletter import transport
from newsletter.delivery.pacing import Rate, Window
from newsletter.delivery.replies import Fault, Kind, Outcome

#: After so many put-offs in a row it is no single reader that is put off.
IN_A_ROW = 3
#: After so many without a success between, nothing goes that way for a while.
PAUSE_AFTER = 10
#: The first such pause in seconds; each that follows without a success is twice as long, up to the longest.
PAUSE, LONGEST = 30.0, 900.0
#: A greylist (RFC 6647) puts off each reader once, for its own sake: slowing down would only make it take longer.
_GREYLIST = re.compile(r"gr[ae]y-?list", re.IGNORECASE)


class Answer(Enum):
    """What a message's end says of the way it went."""

    #: the other side does its work, whatever it thinks of this message
    GOOD = 1
    #: it asks to come back later
    PUT_OFF = 2
    #: it ends the conversation
    CUT = 3
    #: it says nothing of how much mail comes this way
    OTHER = 4
    #: the message came back untried
    NONE = 5


def answer(outcome: Outcome | None) -> Answer:
    """Return what an outcome says of the way; None is a message that came back untried."""
    if outcome is None:
        return Answer.NONE
    if outcome.kind is Kind.SENT:
        return Answer.GOOD
    if outcome.kind is Kind.RELAY_REFUSED:
        return Answer.OTHER
    if outcome.fault is Fault.LOST or outcome.code == 421:
        return Answer.CUT
    if outcome.kind is Kind.DEFERRED and 400 <= outcome.code < 500 and not _of_reader(outcome):
        return Answer.PUT_OFF
    return Answer.GOOD


def _of_reader(outcome: Outcome) -> bool:
    return outcome.fault is Fault.MAILBOX_FULL or _GREYLIST.search(outcome.text) is not None


class Lane:
    """One way for mail: `limit` messages at once at most, less after trouble, within its rate and its window.

    `limit` 0 is no limit.
    """

    __slots__ = ("_blocked", "_burst", "_paces", "_pause", "_row", "allowed", "done", "limit", "name", "under_way")

    def __init__(self, name: str, terms: transport.Lane, *, limit: int) -> None:
        self.name = name
        self.limit = float(limit or math.inf)
        self.allowed = self.limit
        self.under_way = 0
        self.done = 0
        self._paces: list[Rate | Window] = [Rate(terms.rate)] if terms.rate else []
        if terms.sliding:
            self._paces.append(Window(terms.sliding[0], terms.sliding[1].total_seconds()))
        self._row = 0  # put-offs without a success between
        self._burst = 0  # answers still to come of messages that were under way at the last halving
        self._blocked: float | None = None  # until when nothing goes; from then on one message at a time, as a probe
        self._pause = 0.0

    def ready(self, now: float) -> float:
        """Return 0 when a message may go now, else the seconds to wait; inf waits for one under way to end."""
        if self._blocked is not None:
            if now < self._blocked:
                return self._blocked - now
            if self.under_way:
                return math.inf
        elif self.under_way + 1 > self.allowed:
            return math.inf
        return max(0.0, *(pace.wait(now) for pace in self._paces)) if self._paces else 0.0

    def began(self, now: float) -> None:
        """Count a message as under way."""
        self.under_way += 1
        for pace in self._paces:
            pace.took(now)

    def ended(self, now: float, outcome: Outcome | None) -> None:
        """Learn from a message's end; None is one that came back untried."""
        self.heard(now, answer(outcome))

    def heard(self, now: float, said: Answer) -> None:
        """Count a message as ended, and learn from the answer."""
        self.under_way -= 1
        if said is Answer.NONE:
            return
        self.done += 1
        known = self._burst > 0
        self._burst -= known
        if said is Answer.GOOD:
            self._row = 0
            if self._blocked is not None:
                self._blocked, self._pause = None, 0.0
            elif self.allowed < self.limit:
                self.allowed = min(self.limit, self.allowed + 1 / self.allowed)
        elif said is not Answer.OTHER:
            self._row += 1
            self._suffer(now, at_once=said is Answer.CUT, known=known)

    def _suffer(self, now: float, *, at_once: bool, known: bool) -> None:
        if self._row >= PAUSE_AFTER:
            if self._blocked is None or now >= self._blocked:
                self._pause = min(self._pause * 2 or PAUSE, LONGEST)
                self._blocked, self.allowed = now + self._pause, 1.0
        elif not known and (at_once or self._row >= IN_A_ROW):
            self.allowed = max(1.0, min(self.allowed, self.under_way + 1) / 2)
            self._burst = self.under_way

    @property
    def recovered(self) -> bool:
        """Return whether the lane remembers no trouble."""
        return self.allowed >= self.limit and not self._row and self._blocked is None

    @property
    def stretch(self) -> float:
        """Return how many seconds back the lane must know what was sent, 0 when its start is enough."""
        return max((pace.stretch for pace in self._paces if isinstance(pace, Window)), default=0.0)

    def seed(self, ages: Iterable[float], *, now: float) -> None:
        """Let the window know of messages that earlier runs sent, each so many seconds ago."""
        windows = [pace for pace in self._paces if isinstance(pace, Window)]
        for age in sorted(ages, reverse=True) if windows else ():
            for window in windows:
                window.took(now - age)

    def paused_for(self, now: float) -> float:
        """Return the seconds for which nothing goes, 0 when something may."""
        return max(self._blocked - now, 0.0) if self._blocked is not None else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """A lane as a line of progress shows it: `rate` is messages a second since it was shown last."""

    name: str
    allowed: int
    limit: int
    rate: float
    paused_for: float
    done: int


class Lanes:
    """The lanes of one relay: its own, those of its domains, and one for each domain that is in trouble now.

    What one domain puts off slows that domain down; what several put off in turn, or a connection that is cut, the
    relay.
    """

    def __init__(self, relay: transport.Relay) -> None:
        #: messages at once by this relay: its connections, each with its window of messages
        self.limit = relay.connections * relay.in_flight
        self.own = Lane(relay.name, relay, limit=self.limit)
        self._lanes = {
            domain: Lane(f"{relay.name} {domain}", terms, limit=terms.connections or self.limit)
            for domain, terms in relay.domains.items()
        }
        self._made: set[str] = set()
        self._under_way: dict[str, int] = {}
        self._put_off: set[str] = set()  # domains that put something off since the last success
        self._looked: tuple[float, dict[str, int]] = (-math.inf, {})

    def ready(self, domain: str, now: float) -> float:
        """Return 0 when a message to the domain may go now, else the seconds to wait; inf waits for one to end."""
        wait = self.own.ready(now)
        lane = self._lanes.get(domain)
        return wait if lane is None else max(wait, lane.ready(now))

    def began(self, domain: str, now: float) -> None:
        """Count a message as under way."""
        self._under_way[domain] = self._under_way.get(domain, 0) + 1
        self.own.began(now)
        lane = self._lanes.get(domain)
        if lane is not None:
            lane.began(now)

    def ended(self, domain: str, now: float, outcome: Outcome | None) -> None:
        """Learn from a message's end; None is one that came back untried."""
        left = self._under_way.pop(domain) - 1
        if left:
            self._under_way[domain] = left
        said = answer(outcome)
        lane = self._lanes.get(domain)
        if lane is None and said is Answer.PUT_OFF:
            lane = self._make(domain, left + 1)
        if lane is not None:
            lane.heard(now, said)
            if lane.recovered and domain in self._made:
                self._made.remove(domain)
                del self._lanes[domain]
        self.own.heard(now, said if self._is_own(domain, said) else Answer.OTHER)

    def _make(self, domain: str, under_way: int) -> Lane:
        lane = Lane(f"{self.own.name} {domain}", transport.Lane(), limit=self.limit)
        lane.under_way = under_way
        self._lanes[domain] = lane
        self._made.add(domain)
        return lane

    def _is_own(self, domain: str, said: Answer) -> bool:
        """Return whether the answer says something of the relay and not only of the domain."""
        if said is Answer.GOOD:
            self._put_off.clear()
        elif said is Answer.PUT_OFF:
            known = domain in self._put_off
            self._put_off.add(domain)
            return not known
        return True

    def stretch(self, domain: str = "") -> float:
        """Return how many seconds back the lane must know what was sent: the relay's, or a domain's of its settings."""
        return self._lanes[domain].stretch if domain else self.own.stretch

    def seed(self, ages: Iterable[float], *, now: float, domain: str = "") -> None:
        """Let the relay's lane, or that of a domain of its settings, know what earlier runs sent so long ago."""
        (self._lanes[domain] if domain else self.own).seed(ages, now=now)

    def shown(self, now: float) -> list[LaneView]:
        """Return the relay's lane, and after it those of domains that had mail."""
        since, before = self._looked
        lanes = [self.own, *(lane for lane in self._lanes.values() if lane.done or lane.under_way)]
        self._looked = now, {lane.name: lane.done for lane in lanes}
        return [_shown(lane, now, before.get(lane.name, 0), now - since) for lane in lanes]


def together(lanes: Iterable[LaneView]) -> list[LaneView]:
    """Return lanes of several processes as one for each name."""
    made: dict[str, LaneView] = {}
    for lane in lanes:
        other = made.get(lane.name)
        made[lane.name] = lane if other is None else LaneView(
            name=lane.name, allowed=other.allowed + lane.allowed, limit=other.limit + lane.limit,
            rate=other.rate + lane.rate, paused_for=max(other.paused_for, lane.paused_for), done=other.done + lane.done,
        )  # fmt: skip
    return list(made.values())


def _shown(lane: Lane, now: float, before: int, seconds: float) -> LaneView:
    return LaneView(
        name=lane.name,
        allowed=0 if lane.paused_for(now) or lane.allowed == math.inf else int(lane.allowed),
        limit=0 if lane.limit == math.inf else int(lane.limit),
        rate=max(lane.done - before, 0) / seconds if seconds > 0 else 0.0,
        paused_for=lane.paused_for(now),
        done=lane.done,
    )
