"""The local page of the proof: on loopback only, for whoever sits at this machine."""

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import resources

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from newsletter.errors import Refused
from newsletter.web import serve
from newsletter.web.proof.sheet import Proof, in_scheme

#: The page runs its own script and frames its own mail; no other place can be framed, asked or sent to.
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: The mail runs nothing: its styles stand in it, and its images come from where they say.
_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin"
)
_FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}


def create(proof: Proof) -> FastAPI:
    """Return the app that shows one issue."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    app.middleware("http")(_local)

    @app.get("/state")
    def state(since: str = "") -> Response:
        """Return the issue with its findings; 204 where the page already has it."""
        sheet = proof.sheet()
        if sheet.version == since:
            return Response(status_code=204)
        return JSONResponse(sheet.as_json())

    @app.get("/mail")
    def mail(scheme: str = "light", images: str = "on") -> Response:
        """Return the mail as one client's mode shows it."""
        policy = _MAIL.format(images="'none'" if images == "off" else "https: http: data:")
        made = in_scheme(proof.sheet().html, "dark" if scheme == "dark" else "light")
        return Response(made, media_type="text/html", headers={"Content-Security-Policy": policy})

    @app.get("/{name}")
    def file(name: str) -> Response:
        """Return a file of the page."""
        if name not in _FILES:
            return PlainTextResponse("not here", status_code=404)
        return _file(name)

    @app.get("/")
    def page() -> Response:
        """Return the page."""
        return _file("")

    return app


async def _local(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Answer only what was asked of this machine by name: another site's page could be led here (DNS rebinding)."""
    if request.url.hostname not in ("127.0.0.1", "localhost", "::1"):
        return PlainTextResponse("open it as http://127.0.0.1", status_code=421)
    response = await answer(request)
    response.headers.setdefault("Content-Security-Policy", _PAGE)
    response.headers.update(
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    )
    return response


def _file(name: str) -> Response:
    path, kind = _FILES[name]
    text = resources.files("newsletter.web.proof").joinpath(path).read_text("utf-8")
    return Response(text, media_type=kind)


def show(proof: Proof, *, port: int, open_: Callable[[str], object] | None = None) -> None:
    """Answer on loopback until interrupted; `open_` is called with the address once it can be opened."""
    sheet = proof.sheet()  # an issue that is not there is refused before a port is taken
    server = uvicorn.Server(serve.config(create(proof)))
    try:
        listener = serve.listen("127.0.0.1", port)
    except Refused as error:
        raise Refused(str(error).replace("newsletter serve", f"newsletter preview {proof.issue} --serve")) from error
    with listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        sys.stderr.write(f"Issue {sheet.issue} is shown on {address} (stop it with Ctrl-C)\n")
        sys.stderr.flush()
        if open_:
            open_(address)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
