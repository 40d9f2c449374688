"""Which hosts of a network are public: an address that a person typed must not lead to servers beside ours."""

from __future__ import annotations

import ipaddress
import socket

from memberSuite.words import gettext

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(OSError):
    """The host is, or leads to, one of a private network."""


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet, also where it wraps another."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def check_host(host: str, port: int) -> None:
    """Refuse a host of which any address is private. Raises PrivateAddress, or OSError for one that is unknown."""
    for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not is_public(str(where[0])):
            raise PrivateAddress(gettext("%(host)s is in a private network") % {"host": host})


def check_connected(connection: socket.socket) -> None:
    """Refuse a connection that reached a private address: names can change between the look and the call."""
    if not is_public(str(connection.getpeername()[0])):
        connection.close()
        raise PrivateAddress(gettext("the address leads into a private network"))
