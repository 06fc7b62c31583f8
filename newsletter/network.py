"""Which addresses may be asked, and connections to no others: what others wrote must reach nothing inside the house."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore2

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052 2.1


class Unsafe(Exception):
    """The address is none that may be asked."""


def public(address: str) -> bool:
    """Return whether an IP address lies on the public internet, and any address of version 4 inside it too."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    inside = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inside.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return all(each is None or each.is_global for each in inside)


def look_up(host: str, port: int, *, allowed: Callable[[str], bool] = public) -> list[str]:
    """Return the IP addresses that a name stands for now; Unsafe when any of them may not be asked.

    Connect to one of these, not to the name: it may stand for something else a moment later (DNS rebinding).
    """
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    refused = [address for address in found if not allowed(address)]
    if refused or not found:
        raise Unsafe(f"{host} is at {refused[0] if refused else 'no address'}, which is not on the public internet")
    return list(dict.fromkeys(found))


class Backend(httpcore2.NetworkBackend):
    """Connects to the address that was judged, and lets nothing outlast the deadline."""

    def __init__(self, allowed: Callable[[str], bool], deadline: float) -> None:
        self._allowed, self._deadline = allowed, deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:  # fmt: skip
        """Return a connection to the first of the host's addresses that takes one."""
        for last, address in _marked(look_up(host, port, allowed=self._allowed)):
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
