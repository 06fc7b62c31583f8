"""The door of the interface for programs: who comes in, how often, and with how much."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.web.api import problems, tokens
from newsletter.web.api.problems import Refusal
from newsletter.web.api.tokens import TokenView
from newsletter.web.guard import limited
from newsletter.web.site import Site
from subscribers import knocks

#: The longest body that a request can need.
LIMIT = 32 * 1024
#: How often one token may come in one such stretch of time is a setting.
WINDOW = timedelta(minutes=1)
_BEARER = HTTPBearer(auto_error=False, description="A token of `newsletter tokens create`.")
_ANYBODY = {"WWW-Authenticate": "Bearer"}
_TOO_LONG = f"The body is longer than {LIMIT} bytes."


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A program that came in: its token, what it may use, the moment."""

    token: TokenView
    site: Site
    now: datetime

    @property
    def who(self) -> str:
        """Return the name that records have for it."""
        return f"token {self.token.name}"


def _needs(scope: tokens.Scope) -> Any:
    """Return the dependency that lets in who has the scope."""

    def enter(request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> Caller:
        site: Site = request.app.state.site
        now = site.clock()
        with site.transaction() as session:
            token = tokens.find(session, shown.credentials, now=now) if shown else None
            if token is None:
                raise Refusal(401, "Show a token that is valid: Authorization: Bearer TOKEN.", _ANYBODY)
            most = site.settings.web.api_rate
            count = knocks.count(session, site.keyring, "api", str(token.id), within=WINDOW, now=now)
        left = math.ceil(WINDOW.total_seconds() - now.timestamp() % WINDOW.total_seconds())
        request.scope["rate"] = (most, max(0, most - count), left)
        if count > most:
            raise Refusal(429, f"More than {most} requests in a minute.", {"Retry-After": str(left)})
        if scope not in token.scopes:
            named = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}  # RFC 6750 3.1
            raise Refusal(403, f"The token {token.name} lacks the scope {scope}.", named)
        return Caller(token=token, site=site, now=now)

    return Depends(enter)


class Threshold:
    """Stands before the routes: refuses long bodies, and tells how many requests are left."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.pop("rate", None)
        long = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not long.isdigit() or int(long) > LIMIT:
            await problems.answer(413, _TOO_LONG)(scope, receive, send)
            return
        # FastAPI's own error: any other one of a body is a 400 to it
        taking = limited(receive, LIMIT, lambda: HTTPException(413, _TOO_LONG))
        await self.app(scope, taking, _telling(scope, send))


def _telling(scope: Scope, send: Send) -> Send:
    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start" and (rate := scope.get("rate")):
            most, left, seconds = rate
            headers = MutableHeaders(raw=message["headers"])
            # draft-ietf-httpapi-ratelimit-headers, 3 and 4
            headers["RateLimit-Policy"] = f'"token";q={most};w={int(WINDOW.total_seconds())}'
            headers["RateLimit"] = f'"token";r={left};t={seconds}'
            message["headers"] = headers.raw
        await send(message)

    return tell


#: Who comes in with each scope, as a route asks for them.
Reader = Annotated[Caller, _needs(tokens.Scope.SUBSCRIBERS_READ)]
Writer = Annotated[Caller, _needs(tokens.Scope.SUBSCRIBERS_WRITE)]
ListsReader = Annotated[Caller, _needs(tokens.Scope.LISTS_READ)]
IssuesReader = Annotated[Caller, _needs(tokens.Scope.ISSUES_READ)]
StatusReader = Annotated[Caller, _needs(tokens.Scope.STATUS_READ)]
