"""Fetching what stands at an address that others wrote: only from the public internet, and never more than is good.

Each hop of a redirect is judged as if it were given first; the connection goes to the very address that was judged.
No cookies, no proxies, no passwords, nothing kept between two requests.
"""

import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from socket import gaierror
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import httpcore2

from newsletter import __version__
from newsletter.discovery import network
from newsletter.discovery.network import Unsafe

AGENT = f"newsletter-desk/{__version__} (feed reader)"
#: Hops; seconds to connect, for each read, for everything; bytes on the wire and unpacked; how far they may unpack.
REDIRECTS = 5
CONNECT, READ, WALL = 5.0, 10.0, 20.0
WIRE, UNPACKED, RATIO = 2 * 1024 * 1024, 8 * 1024 * 1024, 100
PORTS = frozenset({80, 443})
_MOVED, _PERMANENTLY = {301, 302, 303, 307, 308}, {301, 308}


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

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered: header names are in lower case; `moved_to` is where permanent redirects alone have led."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    moved_to: str = ""


@dataclass
class Client:
    """Asks one address at a time; threads may share it.

    `allowed` judges the IP addresses that a name stands for, and `ports` says which may be used (None: any). Only
    tests, whose servers stand on loopback, pass their own; no setting reaches either.
    """

    allowed: Callable[[str], bool] = network.public
    ports: frozenset[int] | None = PORTS
    wall: float = WALL
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer after redirects; NoAnswer says why there is none."""
        deadline = time.monotonic() + self.wall
        here, moved_to, permanent = url, "", True
        for _ in range(REDIRECTS + 1):
            answer = self._told(here, headers or {}, deadline)
            if answer.status not in _MOVED or "location" not in answer.headers:
                return replace(answer, moved_to=moved_to)
            target = urljoin(here, answer.headers["location"])
            if here.lower().startswith("https:") and not target.lower().startswith("https:"):
                raise NoAnswer(Cause.UNSAFE, f"it redirects from https to {target[:200]}")
            permanent = permanent and answer.status in _PERMANENTLY
            here, moved_to = target, target if permanent else moved_to
        raise NoAnswer(Cause.PROTOCOL, f"it redirects more than {REDIRECTS} times")

    def _told(self, url: str, headers: Mapping[str, str], deadline: float) -> Answer:
        try:
            return self._once(url, headers, deadline)
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

    def _once(self, url: str, headers: Mapping[str, str], deadline: float) -> Answer:
        target, host = self._judged(url)
        asked = {"Host": host, "User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "gzip", "Connection": "close"}
        sent = [(name.encode(), value.encode("latin-1")) for name, value in {**asked, **headers}.items()]
        backend = _Backend(self.allowed, deadline)
        times = {"timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": CONNECT}}
        with httpcore2.ConnectionPool(ssl_context=self.context, network_backend=backend, max_connections=1) as pool:
            with pool.stream("GET", target, headers=sent, extensions=times) as response:
                found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                body = b"" if response.status != 200 else _unpacked(response.iter_stream(), found)
                return Answer(url=url, status=response.status, headers=found, body=body)

    def _judged(self, url: str) -> tuple[httpcore2.URL, str]:
        """Return the address in the shape that goes on the wire, and its host as the Host header has it."""
        parts = urlsplit(url)
        secure = parts.scheme.lower() == "https"
        if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
            raise Unsafe(f"{parts.scheme or 'no'} address; only http and https are asked")
        if parts.username or parts.password:
            raise Unsafe("the address holds a user name")
        port = parts.port or (443 if secure else 80)
        if self.ports is not None and port not in self.ports:
            raise Unsafe(f"port {port}; only {' and '.join(map(str, sorted(self.ports)))} are asked")
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
        shown = f"[{host}]" if ":" in host else host
        default = port == (443 if secure else 80)
        target = httpcore2.URL(scheme=parts.scheme.lower(), host=host, port=port, target=_target(parts))
        return target, shown if default else f"{shown}:{port}"


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


class _Backend(httpcore2.NetworkBackend):
    """Connects to the address that was judged, and lets nothing outlast the deadline."""

    def __init__(self, allowed: Callable[[str], bool], deadline: float) -> None:
        self._allowed, self._deadline = allowed, deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        """Return a connection to the first of the host's addresses that takes one."""
        for last, address in _marked(network.look_up(host, port, allowed=self._allowed)):
            try:
                within = _left(self._deadline, timeout)
                return _Stream(self._sockets.connect_tcp(address, port, timeout=within), self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if last:
                    raise
        raise AssertionError("a name stands for at least one address")


class _Stream(httpcore2.NetworkStream):
    """A connection whose every read and write ends by the deadline: a server that drips must not hold a worker."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        within = _left(self._deadline, timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, within), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time for everything is over")
    return left if timeout is None else min(left, timeout)


def _marked(addresses: list[str]) -> Iterator[tuple[bool, str]]:
    return ((number == len(addresses) - 1, address) for number, address in enumerate(addresses))
