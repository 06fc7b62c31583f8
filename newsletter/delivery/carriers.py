"""A relay at work: its lanes, how many connections it has, and whether it is paused for refusing us."""

import math
import ssl
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from newsletter import db
from newsletter.delivery import relays, smtp
from newsletter.delivery.lanes import Lanes
from newsletter.delivery.replies import Outcome
from newsletter.delivery.smtp import Connection, Credentials
from newsletter.errors import RelayError, SettingsError
from newsletter.settings import FILE, Settings
from newsletter.transport import Relay

#: So many connections in a row that end before a message has its reply, and the relay is left alone.
PATIENCE = 3
#: How many messages a relay may be ahead of what its weight gives it.
SLACK = 20
#: How long a relay rests, in seconds, that was paused for what may pass, while others carry the mail.
REST = 60.0


@dataclass(kw_only=True, eq=False)
class Carrier:
    """One relay of a send."""

    relay: Relay
    credentials: Credentials
    name: str
    lanes: Lanes
    trust: ssl.SSLContext | None = None
    #: why nothing more goes by it; None while it carries
    trouble: RelayError | None = None
    rests_until: float = math.inf
    given: int = 0
    #: connections that are there or being made, and those of them that are there
    connections: int = 0
    talks: int = 0
    failures: int = 0
    proven: bool = False

    def __str__(self) -> str:
        """Return the relay's name and where it listens."""
        return f"relay {self.relay.name} at {self.relay.host}:{self.relay.port}"

    @property
    def open(self) -> bool:
        """Return whether mail may go by it."""
        return self.trouble is None

    @property
    def share(self) -> float:
        """Return how much it carried for its weight."""
        return self.given / self.relay.weight

    async def connect(self) -> Connection:
        """Return a new connection, or raise RelayError."""
        return await smtp.connect(self.relay, credentials=self.credentials, name=self.name, trust=self.trust)

    def pause(self, now: float, domain: str = "") -> float:
        """Return in how many seconds a message may go, to a domain or at all; infinite: when another has ended."""
        return self.lanes.ready(domain, now) if domain else self.lanes.own.ready(now)

    def keeps_up(self, domain: str, now: float) -> bool:
        """Return whether nothing but the work of its connections keeps it from a message to the domain."""
        own = self.lanes.own
        busy = own.ready(now) == math.inf
        return self.connections > 0 and own.allowed >= own.limit and (busy or self.pause(now, domain) == 0)

    def took(self, domain: str, now: float) -> None:
        """Count a message that is under way."""
        self.given += 1
        self.lanes.began(domain, now)

    def ended(self, domain: str, now: float, outcome: Outcome | None) -> None:
        """Hear what became of it; None is a message that came back untried."""
        self.lanes.ended(domain, now, outcome)

    def stop(self, trouble: RelayError, now: float) -> None:
        """Let nothing more go by it; what may pass is tried again after a while."""
        self.trouble = trouble
        self.failures = 0
        if trouble.temporary:
            self.rests_until = now + REST

    def reopen(self, now: float) -> bool:
        """Let mail go by it again when its rest is over; return whether that is so."""
        if self.trouble is not None and now >= self.rests_until:
            self.trouble, self.rests_until, self.proven = None, math.inf, False
            return True
        return False


def of(settings: Settings, *, trust: ssl.SSLContext | None = None) -> list[Carrier]:
    """Return the publication's relays, none of them connected; their passwords are read now."""
    if not settings.relay:
        raise SettingsError(
            f"a send needs a relay, and {settings.path(FILE)} has none; add a [[relay]] table with name, host, port "
            "and tls"
        )
    name = smtp.name_of(settings)
    return [
        Carrier(relay=each, credentials=smtp.credentials(settings, each), name=name, lanes=Lanes(each), trust=trust)
        for each in settings.relay
    ]


def part(there: Sequence[Carrier], number: int, count: int) -> list[Carrier]:
    """Return the relays as one of several processes has them: each has its part of their connections."""
    made = []
    for each in there:
        connections = each.relay.connections // count + (number < each.relay.connections % count)
        relay = each.relay.model_copy(update={"connections": connections})
        made.append(replace(each, relay=relay, lanes=Lanes(relay)))
    return made


def remember(engine: Engine, there: Sequence[Carrier], *, now: datetime) -> None:
    """Let the windows of relays, and of their domains, know what earlier runs sent."""
    limited = [
        (each, domain, timedelta(seconds=seconds))
        for each in there
        for domain in ("", *each.relay.domains)
        if (seconds := each.lanes.stretch(domain))
    ]
    if not limited:
        return
    with db.reading(engine) as session:
        for each, domain, stretch in limited:
            sent = relays.sent_since(session, each.relay.name, now - stretch, domain=domain)
            each.lanes.seed([(now - at).total_seconds() for at in sent], now=time.monotonic(), domain=domain)


def fit(there: Sequence[Carrier], unfit: Collection[str]) -> list[Carrier]:
    """Return the open relays but for those of these names."""
    return [each for each in there if each.open and each.relay.name not in unfit]


def may_take(carrier: Carrier, there: Sequence[Carrier], domain: str, now: float) -> bool:
    """Return whether a message to the domain is this relay's to take.

    That is so if none of a lower order carries, and none of its own order is behind that could take it as well: a relay
    which rests, or goes slowly, has the part that it can take.
    """
    if not carrier.open:
        return False
    for other in there:
        if other is carrier or not other.open:
            continue
        if other.relay.order < carrier.relay.order:
            return False
        behind = other.share + SLACK / other.relay.weight < carrier.share
        if other.relay.order == carrier.relay.order and behind and other.keeps_up(domain, now):
            return False
    return True


def unusable(carrier: Carrier, reason: str) -> RelayError:
    """Return the error of a relay that cannot be used now, though waiting may help."""
    return RelayError(f"{carrier} {reason}", temporary=True)
