"""From an address to a connection that takes mail: greeting, EHLO, TLS, login."""

import asyncio
import os
import ssl
from functools import cache

from newsletter.delivery.smtp.connection import Connection
from newsletter.delivery.smtp.credentials import Credentials
from newsletter.delivery.smtp.login import login
from newsletter.delivery.smtp.offers import Offers, read
from newsletter.delivery.smtp.parser import Reply
from newsletter.delivery.smtp.timeouts import DEFAULT, Timeouts
from newsletter.delivery.smtp.trouble import unusable
from newsletter.delivery.smtp.wire import Gone, Wire
from newsletter.errors import RelayError
from newsletter.settings import Settings
from newsletter.transport import Relay, Tls
from subscribers import addresses


class _Refused(Exception):
    """The server turned us away."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class _NoTls(Exception):
    """STARTTLS was offered and did not work."""


def name_of(settings: Settings) -> str:
    """Return what the desk calls itself in EHLO."""
    return addresses.domain(settings.sender.domain) if settings.sender.domain else "localhost"


async def connect(
    relay: Relay,
    *,
    credentials: Credentials,
    name: str,
    trust: ssl.SSLContext | None = None,
    timeouts: Timeouts = DEFAULT,
) -> Connection:
    """Return a connection that takes mail, or raise RelayError; `trust` stands in for the machine's certificates."""
    context = _unchecked() if relay.tls is Tls.OPPORTUNISTIC else trust or _checked()
    try:
        try:
            wire, offers = await _greeted(relay, relay.tls, name, context, timeouts)
        except _NoTls:
            wire, offers = await _greeted(relay, Tls.NONE, name, context, timeouts)
        try:
            await login(wire, offers, relay=relay, credentials=credentials)
        except BaseException:
            wire.fail("was given up")
            raise
    except _Refused as refusal:
        reason, temporary = f"will not talk to us: {refusal.reply}", refusal.reply.code < 500
        raise unusable(relay, reason, temporary=temporary) from refusal
    except (Gone, OSError) as error:
        raise _explained(relay, error) from error
    return Connection(relay, wire, offers)


async def _greeted(
    relay: Relay, tls: Tls, name: str, context: ssl.SSLContext, timeouts: Timeouts
) -> tuple[Wire, Offers]:
    wire = await _dialled(relay, context if tls is Tls.IMPLICIT else None, timeouts)
    try:
        greeting = await wire.reply(timeouts.greeting)
        if greeting.code != 220:
            raise _Refused(greeting)
        offers = await _hello(wire, name)
        if tls is Tls.REQUIRE and not offers.starttls:
            raise unusable(
                relay,
                'does not offer STARTTLS, and tls = "require" sends nothing without it; name its TLS port with '
                'tls = "implicit", or say tls = "none" for a network that you trust',
            )
        if tls in (Tls.REQUIRE, Tls.OPPORTUNISTIC) and offers.starttls:
            await _secure(wire, relay, tls, context)
            offers = await _hello(wire, name)  # what was said in the clear counts no more (RFC 3207 4.2)
    except BaseException:
        wire.fail("was given up")
        raise
    return wire, offers


async def _dialled(relay: Relay, context: ssl.SSLContext | None, timeouts: Timeouts) -> Wire:
    host = relay.host.strip("[]")
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeouts.connect):
            _, wire = await loop.create_connection(
                lambda: Wire(timeouts), host, relay.port, ssl=context, server_hostname=host if context else None
            )
    except UnicodeError as error:
        raise unusable(relay, f"cannot be reached: {host!r} is no name of a host") from error
    except TimeoutError as error:
        raise TimeoutError(f"timed out: no answer for {timeouts.connect:g} s") from error
    return wire


async def _hello(wire: Wire, name: str) -> Offers:
    reply = await wire.ask(f"EHLO {name}")
    if reply.code == 250:
        return read(reply.text)
    if reply.code in (500, 502):  # from before there were extensions (RFC 5321 3.2)
        reply = await wire.ask(f"HELO {name}")
        if reply.code == 250:
            return Offers()
    raise _Refused(reply)


async def _secure(wire: Wire, relay: Relay, tls: Tls, context: ssl.SSLContext) -> None:
    reply = await wire.ask("STARTTLS")
    if reply.code != 220 and tls is not Tls.OPPORTUNISTIC:
        raise unusable(relay, f"offers STARTTLS and refuses it: {reply}", temporary=reply.code < 500)
    try:
        if reply.code != 220:
            raise _Refused(reply)
        await wire.start_tls(context, relay.host.strip("[]"))
    except (_Refused, OSError) as error:
        if tls is Tls.OPPORTUNISTIC:  # RFC 7435: in the clear rather than not at all
            raise _NoTls from error
        raise


@cache
def _checked() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _unchecked() -> ssl.SSLContext:
    """Return TLS against a listener only, checked against nothing (RFC 7435)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _explained(relay: Relay, error: Gone | OSError) -> RelayError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return unusable(relay, f"shows a certificate that cannot be trusted: {error.verify_message}")
    if isinstance(error, Gone):
        reason = f"will not talk to us: {error.said}" if error.said else f"did not open the conversation: it {error}"
        return unusable(relay, reason, temporary=True)
    if isinstance(error, ssl.SSLError):
        return unusable(relay, f"cannot be reached by TLS: {error.reason or error}", temporary=True)
    # asyncio puts a sentence of its own in the place of the system's; a resolver's errors have negative numbers
    number = error.errno or 0
    words = os.strerror(number) if number > 0 else error.strerror or str(error)
    return unusable(relay, f"cannot be reached: {words}", temporary=True)
