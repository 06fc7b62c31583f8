"""A publisher's web server on loopback, which answers what a test tells it to, well or badly."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Reply:
    """What a path answers; `drip` sends the body a byte at a time, `validate` answers 304 to those who have it."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0
    raw: bytes = b""
    validate: bool = False


class Publisher(ThreadingHTTPServer):
    """The server: `replies` by path, and what it was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: dict[str, Reply | Callable[[], Reply]] = {}
        self.asked: list[tuple[str, dict[str, str], float]] = []
        self.at_once, self.most_at_once, self.lock = 0, 0, threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: some clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        server = self.server
        with server.lock:
            server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, time.monotonic()))
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        try:
            found = server.replies.get(self.path, Reply(status=404))
            self._answer(found() if callable(found) else found)
        finally:
            with server.lock:
                server.at_once -= 1

    def _answer(self, reply: Reply) -> None:
        if reply.raw:
            self.wfile.write(reply.raw)
            return
        known = [(self.headers.get("If-None-Match"), "ETag"), (self.headers.get("If-Modified-Since"), "Last-Modified")]
        same = reply.validate and any(value and value == reply.headers.get(name) for value, name in known)
        body = b"" if same else reply.body
        self.send_response(304 if same else reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        for byte in body if reply.drip else b"":
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(reply.drip)
        if not reply.drip:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def publishing() -> Iterator[Publisher]:
    """Run a server while the block runs."""
    server = Publisher()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def rss(*items: str, head: str = "<title>The wire</title>") -> bytes:
    """Return a feed with these items."""
    body = "".join(f"<item>{item}</item>" for item in items)
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel>{head}{body}</channel></rss>".encode()


def item(number: int, *, title: str = "", guid: str | None = "", more: str = "") -> str:
    """Return an item with a link of its own; `guid` None leaves it out."""
    given = "" if guid is None else f"<guid isPermaLink='false'>{guid or f'g{number}'}</guid>"
    return f"<title>{title or f'Story {number}'}</title><link>https://example.com/{number}</link>{given}{more}"
