"""For the machines that watch the desk."""

import hmac
from ipaddress import ip_address, ip_network

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response

from newsletter import db, metrics
from newsletter.errors import DatabaseError
from newsletter.web.site import READ, Here, Site

router = APIRouter()

#: Headers by which proxies say that they pass somebody else's request on.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@router.api_route("/healthz", methods=READ)
def healthy() -> Response:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=READ)
def ready(site: Here) -> Response:
    """Say whether the database answers and has this program's schema."""
    try:
        db.require_version(site.engine)
    except DatabaseError:  # the reason names the database: `newsletter doctor` tells it, a public page does not
        return PlainTextResponse("the database is not ready\n", 503)
    return PlainTextResponse("ready\n")


@router.api_route("/metrics", methods=READ)
def measured(site: Here, request: Request) -> Response:
    """Tell what the desk is doing in numbers, to who may know."""
    if not _may_know(site, request):
        raise HTTPException(403, "The numbers are for the networks and the token that [web] metrics names.")
    with site.reading() as session:
        text = metrics.text(session, site.settings, now=site.clock())
    return PlainTextResponse(text, media_type=metrics.TYPE)


def _may_know(site: Site, request: Request) -> bool:
    """Return whether the request shows the token, or comes from a network that is trusted, and from there itself."""
    web = site.settings.web
    token = web.metrics_token or _token(site)
    shown = request.headers.get("authorization", "").encode("utf-8", "replace")
    if token and hmac.compare_digest(shown, f"Bearer {token}".encode()):
        return True
    if not web.trusted_proxies and any(name in request.headers for name in _FORWARDED):
        return False  # it is the proxy that stands in the network
    try:
        here = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(here in ip_network(each, strict=False) for each in web.metrics_from)


def _token(site: Site) -> str:
    file = site.settings.web.metrics_token_file
    try:
        return site.settings.path(file).read_text("utf-8").strip() if file else ""
    except (OSError, UnicodeDecodeError):
        return ""
