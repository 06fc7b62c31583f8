"""Logging in at a relay (RFC 4954)."""

import ipaddress
from base64 import b64encode

from newsletter.delivery.smtp.credentials import Credentials, token
from newsletter.delivery.smtp.offers import Offers
from newsletter.delivery.smtp.parser import Reply
from newsletter.delivery.smtp.trouble import unusable
from newsletter.delivery.smtp.wire import Wire
from newsletter.transport import Auth, Relay


async def login(wire: Wire, offers: Offers, *, relay: Relay, credentials: Credentials) -> None:
    """Log in, if there is a name to do so by; raises RelayError where that does not work."""
    if not credentials.username:
        return
    if not wire.secure and not loopback(relay.host):
        raise unusable(relay, 'is not behind TLS, and a password never goes in the clear; set tls = "require"')
    way = _way(offers, relay, credentials)
    if way is Auth.XOAUTH2:
        reply = await _xoauth2(wire, credentials.username, await token(relay, credentials))
    elif way is Auth.LOGIN:
        reply = await _login(wire, credentials)
    else:
        secret = _coded(f"\0{credentials.username}\0{credentials.password}")
        reply = await wire.ask(f"AUTH PLAIN {secret}")
    if not reply.good:
        what = "access token" if way is Auth.XOAUTH2 else "user name or password"
        temporary = reply.code // 100 == 4  # 454 is the server's trouble, 535 is ours (RFC 4954 6)
        raise unusable(relay, f"refused the {what}: {reply}", temporary=temporary)


def _way(offers: Offers, relay: Relay, credentials: Credentials) -> Auth:
    if not offers.auth:
        raise unusable(relay, "offers no AUTH; take username out of [[relay]], or use its submission port")
    if relay.auth is Auth.AUTO:
        known = (Auth.XOAUTH2,) if credentials.token_command else (Auth.PLAIN, Auth.LOGIN)
    else:
        known = (relay.auth,)
    for way in known:
        if way.upper() in offers.auth:
            return way
    wanted = " or ".join(way.upper() for way in known)
    raise unusable(relay, f"does not offer to log in by {wanted}, but by {', '.join(sorted(offers.auth))}; set auth")


async def _login(wire: Wire, credentials: Credentials) -> Reply:
    reply = await wire.ask("AUTH LOGIN")
    for answer in (credentials.username, credentials.password):
        if reply.code == 334:
            reply = await wire.ask(_coded(answer))
    return reply


async def _xoauth2(wire: Wire, name: str, secret: str) -> Reply:
    bearer = _coded(f"user={name}\1auth=Bearer {secret}\1\1")
    reply = await wire.ask(f"AUTH XOAUTH2 {bearer}")
    # A token that is refused is told of in a challenge; only an empty answer to it brings the reply.
    return await wire.ask("") if reply.code == 334 else reply


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode()


def loopback(host: str) -> bool:
    """Return whether the host is this machine, whom a password may be told in the clear."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
