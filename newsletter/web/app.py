"""The web side of a publication: the pages that links in mail lead to, and health."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from newsletter import publication
from newsletter.errors import DatabaseError
from newsletter.rendering import templates
from newsletter.settings import Settings
from newsletter.web import (
    about,
    archive,
    briefings,
    clicks,
    confirm,
    corrections,
    desk,
    feeds,
    health,
    issues,
    online,
    preferences,
    review,
    search,
    signup,
    sitemap,
    unsubscribe,
)
from newsletter.web.api import app as api
from newsletter.web.guard import Guard
from newsletter.web.site import Site


def _now() -> datetime:
    return datetime.now(UTC)


def create(settings: Settings, engine: Engine, *, clock: Callable[[], datetime] = _now) -> FastAPI:
    """Return the app that answers for one publication."""
    publication.keyring(settings)  # without it no link works: better not to begin
    site = Site(
        settings=settings,
        engine=engine,
        templates=templates.environment(settings),
        clock=clock,
        started=clock(),
    )
    app = FastAPI(
        title=settings.publication.name,
        openapi_url=None,
        redirect_slashes=False,  # RFC 8058 3.2: a one-click POST is never answered with a redirect
        middleware=[Middleware(Guard, prefix=site.prefix, secure=site.secure)],
        exception_handlers={HTTPException: _refuse, DatabaseError: _wait},
    )
    app.state.site = site
    readers = (unsubscribe, clicks, preferences, signup, confirm, online, review)
    for room in (*readers, archive, issues, briefings, search, feeds, sitemap, corrections, about, health, *desk.ROOMS):
        app.include_router(room.router)
    app.mount(api.PATH, api.create(site))
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        site: Site = request.app.state.site
        return site.page("not_found", status=404, reply_to=site.settings.sender.reply_to)
    words = {400: "This desk does not understand what was sent; nothing was changed.\n"}.get(error.status_code, "")
    return PlainTextResponse(words or f"{error.detail}\n", error.status_code, error.headers)


async def _wait(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("The desk is busy. Please try again in a minute.\n", 503, {"Retry-After": "60"})
