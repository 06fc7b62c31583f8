"""Answering on a port, until told to stop."""

import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from newsletter import db
from newsletter.errors import Refused
from newsletter.settings import Settings
from newsletter.web import errands
from newsletter.web.app import create


def serve(settings: Settings, *, host: str, port: int) -> None:
    """Answer for the publication on `host` and `port` (0: any free one) until interrupted."""
    engine = db.connect(settings)
    server = uvicorn.Server(config(create(settings, engine), trusted=settings.web.trusted_proxies))
    with listen(host, port) as listener:
        where = f"[{host}]" if ":" in host else host
        address = f"http://{where}:{listener.getsockname()[1]}/"
        sys.stderr.write(f"{settings.publication.name} answers on {address} (stop it with Ctrl-C)\n")
        sys.stderr.flush()
        # uvicorn has closed in good order when it passes the signal on
        with errands.running(engine, settings), suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    engine.dispose()


def config(app: FastAPI, *, trusted: Sequence[str] = ()) -> uvicorn.Config:
    """Return how the server runs: it believes no other proxy, and no log keeps paths, for they hold readers' tokens."""
    return uvicorn.Config(
        app, proxy_headers=bool(trusted), forwarded_allow_ips=list(trusted), access_log=False, server_header=False,
        log_level="warning",
    )  # fmt: skip


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there, or say why not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError) as error:
        raise Refused(
            f"port {port} on {host} cannot be taken ({error}); choose another: newsletter serve --port N"
        ) from error
