"""Which addresses a collector or a probe may send to: the same rule at both ends of the wire.

An address is reached when it stands in an allowed subnet and in no denied one. Some are never reached,
whatever is allowed: link-local, multicast, broadcast, unspecified and reserved ones (RFC 6890). Loopback
is reached only where a loopback subnet itself is allowed: that is a test, not an office.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAPPED_BITS = 96  # how long "::ffff:" is

NOT_AN_ADDRESS = "not_an_address"
NEVER = "never"
LOOPBACK = "loopback"
DENIED = "denied"
OUTSIDE = "outside"

# What a sentence says after the address.
REASONS = {
    NOT_AN_ADDRESS: "is not an IP address",
    NEVER: "is a link-local, multicast, broadcast or reserved address",
    LOOPBACK: "is this machine itself, and no loopback subnet is registered",
    DENIED: "lies in a subnet that must not be looked at",
    OUTSIDE: "lies in no registered subnet of its site",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """The subnets of one site. ``allow`` None: none was ever registered, so nothing is outside.

    ``beyond``: an address outside may be reached too, as of the far end of a line (probes carry no
    credentials); a denied or never reached one may not.
    """

    allow: tuple[Network, ...] | None = None
    deny: tuple[Network, ...] = ()
    beyond: bool = False

    def why_not(self, text: str) -> str | None:
        """Return why an address is not to be reached (a key of REASONS), None when it may be."""
        try:
            address = plain(ipaddress.ip_address(text))
        except ValueError:
            return NOT_AN_ADDRESS
        if is_never(address):
            return NEVER
        if stands_in(address, self.deny):
            return DENIED
        allowed = self.allow is not None and stands_in(address, self.allow)
        if address.is_loopback:
            return None if allowed or self.allow is None else LOOPBACK
        if self.allow is None or self.beyond:
            return None
        return None if allowed else OUTSIDE


def plain(address: Address) -> Address:
    """Return the IPv4 address within an IPv4-mapped IPv6 one (::ffff:192.0.2.1), else the same."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_never(address: Address) -> bool:
    """Return whether no site can have a device at this address."""
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and not address.is_loopback)
        or (address.version == 4 and int(address) >> 24 == 0)
    )


def stands_in(address: Address, networks: Iterable[Network]) -> bool:
    """Return whether an address is in one of the networks."""
    return any(address.version == net.version and address in net for net in networks)


def read_networks(texts: Sequence[object]) -> tuple[Network, ...]:
    """Return networks in CIDR form, IPv4-mapped ones as those of IPv4 that they are.

    Raises ValueError for what is none, or has host bits set.
    """
    found: list[Network] = []
    for text in texts:
        if not isinstance(text, str):
            raise ValueError("a subnet is not text")
        found.append(_plain_network(ipaddress.ip_network(text)))
    return tuple(found)


def _plain_network(network: Network) -> Network:
    first = plain(network.network_address)
    if first.version == network.version or network.prefixlen < MAPPED_BITS:
        return network
    return ipaddress.IPv4Network((int(first), network.prefixlen - MAPPED_BITS))
