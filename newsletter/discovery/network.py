"""Which addresses may be asked: those that others wrote must not reach anything inside the house."""

import ipaddress
import socket
from collections.abc import Callable

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
