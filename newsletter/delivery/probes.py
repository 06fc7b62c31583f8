"""Probes: relays that are tried for real, as far as they can be without a message."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.delivery import smtp
from newsletter.errors import NewsletterError, NotFound, SettingsError
from newsletter.settings import FILE, Settings
from newsletter.transport import Relay

#: Somebody waits for the answer, and no mail depends on it: so less patience than a send has.
TIMEOUTS = smtp.Timeouts(connect=10, greeting=30, command=30)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What became of trying a relay; where it is not `ok`, `reason` says why, and nothing else is known."""

    relay: str
    ok: bool
    reason: str = ""
    #: the version of TLS, empty in the clear
    tls: str = ""
    #: as whom the desk logged in, empty where it does not
    login: str = ""
    extensions: tuple[str, ...] = ()
    #: the largest message that it takes, in bytes; 0 where it does not say
    size: int = 0
    #: from the first packet until it would have taken mail
    seconds: float = 0


def choose(settings: Settings, name: str = "") -> tuple[Relay, ...]:
    """Return the relay of that name, else all of them; refuse where there is none."""
    if not settings.relay:
        raise SettingsError(
            f"{settings.path(FILE)} names no relay; add a [[relay]] table with name, host, port and tls"
        )
    chosen = tuple(relay for relay in settings.relay if name in ("", relay.name))
    if not chosen:
        names = ", ".join(relay.name for relay in settings.relay)
        raise NotFound(f"there is no relay {name} in {settings.path(FILE)}; it has {names}")
    return chosen


def probe(settings: Settings, relays: Sequence[Relay], *, trust: ssl.SSLContext | None = None) -> list[Probe]:
    """Try the relays, all at once, and return what became of each in their order."""

    async def all_at_once() -> list[Probe]:
        return await asyncio.gather(*(_probe(settings, relay, trust) for relay in relays))

    return asyncio.run(all_at_once())


async def _probe(settings: Settings, relay: Relay, trust: ssl.SSLContext | None) -> Probe:
    begun = time.perf_counter()
    try:
        connection = await smtp.connect(
            relay,
            credentials=smtp.credentials(settings, relay),
            name=smtp.name_of(settings),
            trust=trust,
            timeouts=TIMEOUTS,
        )
    except NewsletterError as error:
        return Probe(relay=relay.name, ok=False, reason=str(error))
    seconds = time.perf_counter() - begun
    await connection.close()
    return Probe(
        relay=relay.name,
        ok=True,
        tls=connection.secure,
        login=relay.username,
        extensions=tuple(connection.offers.extensions),
        size=connection.offers.size,
        seconds=round(seconds, 3),
    )
