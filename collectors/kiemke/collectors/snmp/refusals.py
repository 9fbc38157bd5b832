"""Where pysnmp asks and nobody listens: what ICMP says of it, told to whoever waits for that answer.

One socket asks many devices. Linux names the device with each error where it is asked to (IP_RECVERR, ip(7));
elsewhere a device that is slow to answer is knocked at from a socket of its own, connected to it, which any
system tells of a refusal.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pysnmp.carrier.asyncio.dgram.udp import UdpAsyncioTransport
from pysnmp.carrier.asyncio.dgram.udp6 import Udp6AsyncioTransport
from pysnmp.hlapi.v3arch.asyncio.transport import Udp6TransportTarget, UdpTransportTarget

from kiemke.collectors.snmp import hello

IP_RECVERR, IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h; Python names neither
MOST_ABOUT_BYTES = 512
EXTENDED_ERROR = struct.Struct("=I")  # ee_errno, the first of sock_extended_err (linux/errqueue.h)
NAMES_DEVICES = sys.platform == "linux"
SLOW_SECONDS, KNOCK_SECONDS = 0.3, 0.5

Place = tuple[str, int]


class Refusals:
    """Who waits for an answer from which address and port."""

    def __init__(self) -> None:
        self._waiting: dict[Place, set[asyncio.Future[Any]]] = {}

    @contextlib.contextmanager
    def awaited(self, host: str, port: int, answer: "asyncio.Future[Any]") -> Iterator[None]:
        """Let ``answer`` end with ConnectionRefusedError when nobody listens there."""
        place = _place(host, port)
        self._waiting.setdefault(place, set()).add(answer)
        knocking = None if NAMES_DEVICES else asyncio.create_task(self._knock_later(place))
        try:
            yield
        finally:
            if knocking is not None:
                knocking.cancel()
            self._waiting[place].discard(answer)
            if not self._waiting[place]:
                del self._waiting[place]

    def tell(self, host: str, port: int) -> None:
        """Tell that nobody listens there."""
        for answer in self._waiting.get(_place(host, port), ()):
            if not answer.done():
                answer.set_exception(ConnectionRefusedError(errno.ECONNREFUSED, "port unreachable"))

    async def _knock_later(self, place: Place) -> None:
        await asyncio.sleep(SLOW_SECONDS)
        if await asyncio.to_thread(is_refused, *place):
            self.tell(*place)


def is_refused(host: str, port: int) -> bool:
    """Tell whether ICMP says that nobody listens there; blocks for KNOCK_SECONDS at most.

    What is sent is the discovery that opens every SNMPv3 talk: it holds no secret.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as knock:
        knock.settimeout(KNOCK_SECONDS)
        try:
            knock.connect((host, port))
            knock.send(hello.ask_v3(hello.new_number()))
            knock.recv(1)
        except (ConnectionRefusedError, ConnectionResetError):
            return True  # Windows resets
        except OSError:
            return False  # nothing came, or an answer longer than a byte (Windows)
    return False


def _place(host: str, port: int) -> Place:
    return str(ipaddress.ip_address(host.partition("%")[0])), port


class _Outgoing:
    """The way out: an error of one device that is still to be heard would make the kernel refuse another's."""

    def __init__(self, transport: asyncio.DatagramTransport, hear: Callable[[], None]) -> None:
        self._transport = transport
        self._hear = hear

    def sendto(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Send."""
        self._hear()
        self._transport.sendto(data, address)

    def close(self) -> None:
        """Close the socket."""
        self._transport.close()


class _Hearing:
    """What a transport of pysnmp needs to hear of refusals; mixed in before it."""

    level, option = socket.IPPROTO_IP, IP_RECVERR
    transport: Any
    _errors: socket.socket | None = None

    def __init__(self, refusals: Refusals) -> None:
        super().__init__()
        self._refusals = refusals

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        """Ask the kernel for its errors before anything is sent."""
        if NAMES_DEVICES:
            shown = transport.get_extra_info("socket")
            shown.setsockopt(self.level, self.option, 1)
            self._errors = shown.dup()
        super().connection_made(_Outgoing(transport, self._hear))  # type: ignore[misc]

    def connection_lost(self, exc: Exception | None) -> None:
        """Close what was made for the errors."""
        if self._errors is not None:
            self._errors.close()
            self._errors = None
        super().connection_lost(exc)  # type: ignore[misc]

    def error_received(self, exc: Exception) -> None:
        """Hear which device it was; an error that is left there would wake the loop for ever."""
        self._hear()

    def _hear(self) -> None:
        while self._errors is not None:
            try:
                _, about, _, place = self._errors.recvmsg(
                    1, MOST_ABOUT_BYTES, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT
                )
            except OSError:
                return  # nothing more
            for level, kind, data in about:
                if (level, kind) == (self.level, self.option):
                    (number,) = EXTENDED_ERROR.unpack_from(data)
                    if number == errno.ECONNREFUSED:
                        self._refusals.tell(place[0], place[1])


class _Udp(_Hearing, UdpAsyncioTransport):  # type: ignore[misc]  # pysnmp ships no types
    """IPv4."""


class _Udp6(_Hearing, Udp6AsyncioTransport):  # type: ignore[misc]
    """IPv6."""

    level, option = socket.IPPROTO_IPV6, IPV6_RECVERR


class UdpTarget(UdpTransportTarget):  # type: ignore[misc]
    """An IPv4 address whose refusals are heard."""

    refusals: Refusals

    def open_client_mode(self) -> Any:
        """Open the socket that all devices of an engine share."""
        self.transport = _Udp(self.refusals).open_client_mode(self.iface)
        return self.transport


class Udp6Target(Udp6TransportTarget):  # type: ignore[misc]
    """An IPv6 address whose refusals are heard."""

    refusals: Refusals

    def open_client_mode(self) -> Any:
        """Open the socket that all devices of an engine share."""
        self.transport = _Udp6(self.refusals).open_client_mode(self.iface)
        return self.transport
