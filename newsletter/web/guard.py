"""What holds for every answer: headers, a limit on what is sent to us, no detail of a failure."""

import logging
from collections.abc import Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The longest body that a form of ours can need.
LIMIT = 64 * 1024
#: The longest headers, names and values together, that a request of ours can need.
HEADERS_LIMIT = 16 * 1024
#: Pages take their style from a file, carry no script, and send forms only back here.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

#: Said where the public address is one of https: browsers come by no other way for a year (RFC 6797).
SECURE = {"Strict-Transport-Security": "max-age=31536000"}

_log = logging.getLogger(__name__)


class _TooLong(Exception):
    """More was sent than any form needs."""


class Guard:
    """Stands before the app; `prefix` is the path of the public address, which a proxy may or may not take off.

    `secure` is whether that address is one of https.
    """

    def __init__(self, app: ASGIApp, prefix: str, *, secure: bool = False) -> None:
        self.app = app
        self.prefix = prefix
        self.headers = {**HEADERS, **SECURE} if secure else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, self.headers)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADERS_LIMIT:
            await answer.refuse(scope, receive, 431, "Those are longer headers than this desk takes.\n")  # RFC 6585 5
            return
        try:
            await self.app(_without(self.prefix, scope), limited(receive, LIMIT, _TooLong), answer)
        except _TooLong:
            await answer.refuse(scope, receive, 413, "That is more than this desk takes.\n")
        except Exception:
            _log.exception("a page failed")
            await answer.refuse(scope, receive, 500, "Something went wrong here. Please try again later.\n")


class _Answer:
    """The way back, which adds the headers that every answer has."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self.send = send
        self.headers = headers
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(raw=message["headers"])
            for name, value in self.headers.items():
                headers.setdefault(name, value)
            message["headers"] = headers.raw
        await self.send(message)

    async def refuse(self, scope: Scope, receive: Receive, status: int, words: str) -> None:
        if not self.begun:
            await PlainTextResponse(words, status, {"Connection": "close"})(scope, receive, self)


def _without(prefix: str, scope: Scope) -> Scope:
    path: str = scope["path"]
    if not prefix or not f"{path}/".startswith(f"{prefix}/"):
        return scope
    bare = path.removeprefix(prefix) or "/"
    return {**scope, "path": bare, "raw_path": bare.encode()}


def limited(receive: Receive, most: int, error: Callable[[], Exception]) -> Receive:
    """Return what receives a body of so many bytes at most, and raises the error beyond."""
    taken = 0

    async def measured() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise error()
        return message

    return measured
