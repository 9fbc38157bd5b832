"""The one door to addresses that nobody registered as devices: every packet of a sweep passes here.

A probe can send only with a Leave, and only ``Door.enter`` gives one: for one address that stands in
the site's registered subnets and in nothing that is denied, at a pace that troubles nobody. Asking the
door sends nothing.
"""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from kiemke.collectors.errors import CollectorError
from kiemke.wire.reach import REASONS, Network, Reach

PACKETS_PER_SECOND = 50.0
# A sweep is of an office: a subnet with more addresses is to be registered narrower.
MAX_ADDRESSES = 4096
HOST_BITS_WITH_ENDS = 2
V6_ONLY_BY_TABLES = "is IPv6, which is never swept"
END_OF_SUBNET = "may be the address of a subnet or of all in it"

_KEY = object()


class NotAllowed(CollectorError):
    """An address that may not be sent to; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave to send some packets to one address. Made by a Door alone."""

    address: str
    key: object

    def __post_init__(self) -> None:
        """Refuse one that no door made."""
        if self.key is not _KEY:
            raise NotAllowed(f"{self.address}: no door gave leave to send there")


class Door:
    """What of the subnets of one site may be asked, and how fast."""

    def __init__(
        self,
        subnets: Sequence[Network],
        deny: Sequence[Network],
        *,
        per_second: float = PACKETS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``subnets`` () allows nothing at all: no site is swept that registered none."""
        self.subnets = tuple(subnets)
        self._reach = Reach(self.subnets, tuple(deny))
        self._seconds = 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self.refused = 0
        self.passed = 0

    def why_not(self, text: str) -> str | None:
        """Return why an address is not to be sent to, as a sentence's end, None when it may be."""
        reason = self._reach.why_not(text)
        if reason is not None:
            return REASONS[reason]
        address = ipaddress.ip_address(text)
        if address.version != 4 or text != str(address):
            return V6_ONLY_BY_TABLES
        if not address.is_loopback and (self._is_end(address) or int(address) & 0xFF in (0, 0xFF)):
            return END_OF_SUBNET
        return None

    def may_name(self, text: str) -> bool:
        """Say whether an address that a table told of is one of this site (IPv6 too)."""
        return self._reach.why_not(text) is None

    def _is_end(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(
            net.max_prefixlen - net.prefixlen >= HOST_BITS_WITH_ENDS
            and address in (net.network_address, net.broadcast_address)
            for net in self.subnets
            if net.version == 4
        )

    async def enter(self, address: str, packets: int = 1) -> Leave:
        """Return leave to send ``packets`` packets to an address, when it is their turn.

        Raises NotAllowed, at once and with nothing sent.
        """
        reason = self.why_not(address)
        if reason is not None:
            self.refused += 1
            raise NotAllowed(f"{address} {reason}")
        now = self._clock()
        at = max(now, self._next)
        self._next = at + packets * self._seconds
        if at > now:
            await self._sleep(at - now)
        self.passed += packets
        return Leave(address, _KEY)

    def too_wide(self) -> list[Network]:
        """Return the IPv4 subnets that have too many addresses to be swept."""
        return [
            net for net in self.subnets if net.version == 4 and net.num_addresses > MAX_ADDRESSES
        ]

    def addresses(self) -> Iterator[str]:
        """Yield every IPv4 address of the subnets that are not too wide, once, also refused ones."""
        wide = self.too_wide()
        nets = [net for net in self.subnets if net.version == 4 and net not in wide]
        for net in ipaddress.collapse_addresses(
            net for net in nets if isinstance(net, ipaddress.IPv4Network)
        ):
            yield from map(str, net)
