"""Fetching what stands at an address that others wrote: only from the public internet, and never more than is good.

Each hop of a redirect is judged as if it were given first; the connection goes to the very address that was judged.
No cookies, no proxies, no passwords, nothing kept between two requests.
"""

import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from socket import gaierror
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import httpcore2

from newsletter import __version__, network
from newsletter.network import Unsafe

AGENT = f"newsletter-desk/{__version__}"
#: Hops; seconds to connect, for each read, for everything; bytes on the wire and unpacked; how far they may unpack.
REDIRECTS = 5
CONNECT, READ, WALL = 5.0, 10.0, 20.0
WIRE, UNPACKED, RATIO = 2 * 1024 * 1024, 8 * 1024 * 1024, 100
PORTS = frozenset({80, 443})
_MOVED, _PERMANENTLY = {301, 302, 303, 307, 308}, {301, 308}
_REFUSES_HEAD = {400, 403, 404, 405, 406, 410, 429, 500, 501, 503}


class Cause(StrEnum):
    """Why there is no answer."""

    #: the address is none that may be asked
    UNSAFE = "unsafe"
    #: its name is not known
    NAME = "name"
    #: its certificate does not hold
    CERTIFICATE = "certificate"
    #: nobody answers there, or the connection broke
    CONNECTION = "connection"
    #: it does not answer in time
    TIME = "time"
    #: the answer is larger than a feed may be
    SIZE = "size"
    #: the answer is none that HTTP knows
    PROTOCOL = "protocol"


class NoAnswer(Exception):
    """There is no answer to work with; `cause` says of which kind the reason is."""

    def __init__(self, cause: Cause, message: str, *, redirects: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.cause, self.redirects = cause, redirects


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered: header names are in lower case; `moved_to` is where permanent redirects alone have led.

    `redirects` are the addresses that it went by, the last of them the one that answered.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    moved_to: str = ""
    redirects: tuple[str, ...] = ()


@dataclass
class Client:
    """Asks one address at a time; threads may share it.

    `allowed` judges the IP addresses that a name stands for, and `ports` says which may be used (None: any). Only
    tests, whose servers stand on loopback, pass a judge of their own; no setting reaches it.
    """

    allowed: Callable[[str], bool] = network.public
    ports: frozenset[int] | None = PORTS
    wall: float = WALL
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    agent: str = f"{AGENT} (feed reader)"

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer after redirects; NoAnswer says why there is none."""
        return self._followed(url, ("GET",), headers or {})

    def look(self, url: str) -> Answer:
        """Return the answer after redirects without its body: asked by HEAD, and by GET where HEAD is refused."""
        return self._followed(url, ("HEAD", "GET"), {})

    def _followed(self, url: str, ways: Sequence[str], headers: Mapping[str, str]) -> Answer:
        deadline, here = time.monotonic() + self.wall, url
        trail: list[str] = []
        moved_to, permanent = "", True
        try:
            while len(trail) <= REDIRECTS:
                answer = self._hop(here, ways, headers, deadline)
                if answer.status not in _MOVED or "location" not in answer.headers:
                    return replace(answer, moved_to=moved_to, redirects=tuple(trail))
                here = _target_of(answer)
                trail.append(here)
                permanent = permanent and answer.status in _PERMANENTLY
                moved_to = here if permanent else moved_to
        except NoAnswer as error:
            error.redirects = tuple(trail)
            raise
        raise NoAnswer(Cause.PROTOCOL, f"it redirects more than {REDIRECTS} times", redirects=tuple(trail))

    def _hop(self, url: str, ways: Sequence[str], headers: Mapping[str, str], deadline: float) -> Answer:
        answer = self._told(url, ways[0], headers, deadline, whole=len(ways) == 1)
        if len(ways) > 1 and answer.status in _REFUSES_HEAD:
            answer = self._told(url, ways[1], headers, deadline, whole=False)
        return answer

    def _told(self, url: str, method: str, headers: Mapping[str, str], deadline: float, *, whole: bool) -> Answer:
        try:
            return self._once(url, method, headers, deadline, whole=whole)
        except Unsafe as error:
            raise NoAnswer(Cause.UNSAFE, str(error)) from error
        except (httpcore2.TimeoutException, TimeoutError) as error:
            raise NoAnswer(Cause.TIME, "it does not answer in time") from error
        except gaierror as error:
            raise NoAnswer(Cause.NAME, f"its name is not known ({error.strerror})") from error
        except (httpcore2.NetworkError, OSError) as error:
            cause = Cause.CERTIFICATE if isinstance(_root(error), ssl.SSLError) else Cause.CONNECTION
            raise NoAnswer(cause, f"no connection: {error}") from error
        except (httpcore2.ProtocolError, zlib.error, ValueError) as error:
            raise NoAnswer(Cause.PROTOCOL, f"the answer cannot be read: {error}") from error

    def _once(self, url: str, method: str, headers: Mapping[str, str], deadline: float, *, whole: bool) -> Answer:
        target, host = self._judged(url)
        asked = {"Host": host, "User-Agent": self.agent, "Accept": "*/*", "Accept-Encoding": "gzip"}
        sent = {**asked, "Connection": "close", **headers}
        lines = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
        backend = network.Backend(self.allowed, deadline)
        times = {"timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": CONNECT}}
        with httpcore2.ConnectionPool(ssl_context=self.context, network_backend=backend, max_connections=1) as pool:
            with pool.stream(method, target, headers=lines, extensions=times) as response:
                found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                wanted = whole and response.status == 200
                body = _unpacked(response.iter_stream(), found) if wanted else b""
                return Answer(url=url, status=response.status, headers=found, body=body)

    def _judged(self, url: str) -> tuple[httpcore2.URL, str]:
        """Return the address in the shape that goes on the wire, and its host as the Host header has it."""
        try:
            parts, port = _split(url)
        except ValueError as error:
            raise Unsafe(f"it is no address ({error})") from error
        secure = parts.scheme.lower() == "https"
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise Unsafe(f"{parts.scheme or 'no'} address; only http and https are asked")
        if parts.username or parts.password:
            raise Unsafe("the address holds a user name")
        port = port or (443 if secure else 80)
        if self.ports is not None and port not in self.ports:
            raise Unsafe(f"port {port}; only {' and '.join(map(str, sorted(self.ports)))} are asked")
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
        shown = f"[{host}]" if ":" in host else host
        default = port == (443 if secure else 80)
        target = httpcore2.URL(scheme=parts.scheme.lower(), host=host, port=port, target=_target(parts))
        return target, shown if default else f"{shown}:{port}"


def _split(url: str) -> tuple[SplitResult, int | None]:
    parts = urlsplit(url)
    return parts, parts.port


def _target_of(answer: Answer) -> str:
    """Return where a redirect leads; NoAnswer when that is nowhere one may be led."""
    try:
        target = urljoin(answer.url, answer.headers["location"])
    except ValueError as error:
        raise NoAnswer(Cause.PROTOCOL, f"it redirects to what is no address ({error})") from error
    if answer.url.lower().startswith("https:") and not target.lower().startswith("https:"):
        raise NoAnswer(Cause.UNSAFE, f"it redirects from https to {target[:200]}")
    return target


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="%/:=&~+!$,;'@()*")
    return path + (f"?{quote(parts.query, safe='%/:=&~+!$,;@()*?')}" if parts.query else "")


def _unpacked(chunks: Iterator[bytes], headers: Mapping[str, str]) -> bytes:
    """Return the body, unpacked as it comes, so a bomb is noticed before it is in memory."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise ValueError(f"it is packed as {coding[:40]!r}")
    unpack = None if coding in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib
    body, wire = bytearray(), 0
    for chunk in chunks:
        wire += len(chunk)
        room = UNPACKED - len(body) + 1
        body += chunk if unpack is None else unpack.decompress(chunk, room)
        if wire > WIRE or len(body) > UNPACKED:
            raise NoAnswer(Cause.SIZE, f"it is larger than {WIRE >> 20} MiB, or {UNPACKED >> 20} MiB unpacked")
        if len(body) > 1 << 20 and len(body) > RATIO * wire:
            raise NoAnswer(Cause.SIZE, f"it unpacks to more than {RATIO} times its size")
    if unpack is not None and not unpack.eof:
        raise ValueError("it ends in the middle of its packing")
    return bytes(body)


def _root(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
