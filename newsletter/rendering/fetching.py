"""Asking whether an address answers: for addresses that others wrote, so nothing inside the house can be reached.

Each host is looked up, each of its addresses judged, and the connection made to the very address that was judged: a
name that means something else a moment later (DNS rebinding) gains nothing. Redirects are followed by hand, each as if
it were given first.
"""

import http.client
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from newsletter.discovery import network
from newsletter.discovery.network import Unsafe, public

AGENT = "newsletter-desk link check"
REDIRECTS = 5
#: How many addresses are asked at a time, and how long, in seconds, one host is left alone after a question.
AT_ONCE, PAUSE = 8, 0.3
_REFUSES_HEAD = {400, 403, 404, 405, 406, 410, 429, 500, 501, 503}


@dataclass(frozen=True)
class Answer:
    """What an address answered: the status after redirects, or in `trouble` why there is none."""

    url: str
    status: int = 0
    trouble: str = ""
    size: int | None = None
    redirects: tuple[str, ...] = ()

    @property
    def dead(self) -> bool:
        """Return whether a reader would find nothing there; a page that only turns programs away is none."""
        return bool(self.trouble) or (
            self.status >= 400 and self.status not in (401, 403, 405, 406, 429, 451, 503, 999)
        )


@dataclass
class Fetcher:
    """Asks addresses, several at once, and one host at a time.

    `allowed` judges the IP addresses that a name stands for; only tests, whose servers stand on loopback, pass their
    own. `context` is how certificates are checked, `tell` is called with how many are done, and of how many.
    """

    timeout: float = 10.0
    allowed: Callable[[str], bool] = public
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    pause: float = PAUSE
    tell: Callable[[int, int | None], object] = field(default=lambda done, size: None, repr=False)
    _hosts: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock), repr=False)

    def ask_all(self, urls: Iterable[str]) -> dict[str, Answer]:
        """Return the answer of each address."""
        wanted = list(dict.fromkeys(urls))
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            answers = {}
            for answer in pool.map(self.ask, wanted):
                answers[answer.url] = answer
                self.tell(len(answers), len(wanted))
            return answers

    def ask(self, url: str) -> Answer:
        """Return what the address answers, after redirects."""
        seen: list[str] = []
        here = url
        try:
            while True:
                status, headers = self._polite(here)
                if status not in (301, 302, 303, 307, 308) or "location" not in headers:
                    size = headers.get("content-length", "")
                    return Answer(url, status, size=int(size) if size.isdigit() else None, redirects=tuple(seen))
                here = urljoin(here, headers["location"])
                seen.append(here)
                if len(seen) > REDIRECTS:
                    return Answer(url, trouble=f"more than {REDIRECTS} redirects", redirects=tuple(seen))
        except Unsafe as error:
            return Answer(url, trouble=str(error), redirects=tuple(seen))
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Answer(url, trouble=_said(error), redirects=tuple(seen))

    def _polite(self, url: str) -> tuple[int, dict[str, str]]:
        parts = urlsplit(url)
        with self._hosts[parts.netloc.lower()]:
            try:
                status, headers = self._once("HEAD", parts)
                if status in _REFUSES_HEAD:
                    status, headers = self._once("GET", parts)
                return status, headers
            finally:
                time.sleep(self.pause)

    def _once(self, method: str, parts: SplitResult) -> tuple[int, dict[str, str]]:
        connection = self._connect(parts)
        try:
            path = quote(parts.path or "/", safe="%/:=&~+!$,;'@()*") + (f"?{_query(parts)}" if parts.query else "")
            headers = {"User-Agent": AGENT, "Accept": "*/*", "Connection": "close"}
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()  # the body is never read
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise Unsafe(f"{parts.scheme or 'no'} address; only http and https are asked")
        if parts.username or parts.password:
            raise Unsafe("the address holds a user name")
        secure = parts.scheme.lower() == "https"
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
        port = parts.port or (443 if secure else 80)
        judged = network.look_up(host, port, allowed=self.allowed)[0]
        connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
        made = socket.create_connection((judged, port), timeout=self.timeout)
        connection.sock = self.context.wrap_socket(made, server_hostname=host) if secure else made
        return connection


def _query(parts: SplitResult) -> str:
    return quote(parts.query, safe="%/:=&~+!$,;'@()*?")


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    return str(error) or type(error).__name__
