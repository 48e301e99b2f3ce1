"""Where a request comes from, as far as it tells one household or network from another."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

UNKNOWN = "-"


def of(address: str | None) -> str:
    """The place of a network address: an IPv4 address, or the /64 of an IPv6 address.

    A provider gives every customer at least a /64, so its addresses are one customer's (RFC 6177). An IPv4 address
    written as IPv6 (::ffff:192.0.2.1) is that IPv4 address. What is no address is UNKNOWN.
    """
    try:
        found = ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(ip_network((int(found), 64), strict=False).network_address)
        found = found.ipv4_mapped
    return str(found)
