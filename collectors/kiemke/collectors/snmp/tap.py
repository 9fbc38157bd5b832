"""A tap on the line to one device: every packet of it is traced, and passed on as it is.

The reader talks to a socket on loopback, the tap to the device: so both libraries are shown alike, and
what is counted is what went over the wire. No community, key, user or value is ever part of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error
from pysnmp.error import PySnmpError
from pysnmp.proto.api import decodeMessageVersion, v1, v2c
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from kiemke.collectors.snmp.pysnmp_reader import check_route
from kiemke.collectors.snmp.reader import format_oid
from kiemke.collectors.trace import Trace

VERSIONS = {0: "1", 1: "2c", 3: "3"}
MESSAGES: dict[int, Any] = {0: v1, 1: v2c}  # pysnmp ships no types
SIGNED, ENCRYPTED = 1, 2  # msgFlags, RFC 3412 section 6.4
# The number of each PDU's tag (RFC 1157, RFC 3416) and what it is called.
PDUS = {
    0: "get", 1: "get-next", 2: "response", 3: "set", 4: "trap", 5: "get-bulk", 6: "inform", 7: "trap",
    8: "report",
}  # fmt: skip
MOST_NAMES = 8


def describe(data: bytes) -> dict[str, object]:
    """Return what a packet is: version, kind of PDU, its number, error and objects; never a value."""
    about: dict[str, object] = {"bytes": len(data)}
    try:
        number = int(decodeMessageVersion(data))
        about["version"] = VERSIONS.get(number, str(number))
        if number == 3:
            return about | _describe_v3(data)
        module = MESSAGES[number]
        message, _ = decoder.decode(data, asn1Spec=module.Message())
        return about | _describe_pdu(message.getComponentByPosition(2).getComponent())
    except (PyAsn1Error, PySnmpError, ValueError, LookupError, TypeError, AttributeError):
        return about | {"pdu": "not SNMP"}


def _describe_v3(data: bytes) -> dict[str, object]:
    message, _ = decoder.decode(data, asn1Spec=SNMPv3Message())
    header = message.getComponentByName("msgGlobalData")
    flags = bytes(header.getComponentByName("msgFlags"))[0]
    about: dict[str, object] = {
        "message": int(header.getComponentByName("msgID")),
        "level": ("priv" if flags & ENCRYPTED else "auth" if flags & SIGNED else "none"),
    }
    body = message.getComponentByName("msgData").getComponent()
    if flags & ENCRYPTED:
        return about | {"pdu": "encrypted"}
    return about | _describe_pdu(body.getComponentByName("data").getComponent())


def _describe_pdu(pdu: Any) -> dict[str, object]:
    """Return a PDU's kind, number and objects; of GETBULK the rows asked for instead of an error."""
    kind = PDUS.get(pdu.tagSet.superTags[-1].tagId, "unknown")
    if len(pdu) < 4:
        return {"pdu": kind}
    about: dict[str, object] = {"pdu": kind, "request": int(pdu.getComponentByPosition(0))}
    if kind == "get-bulk":
        about["rows"] = int(pdu.getComponentByPosition(2))
    elif int(pdu.getComponentByPosition(1)):
        about["error_status"] = int(pdu.getComponentByPosition(1))
        about["error_index"] = int(pdu.getComponentByPosition(2))
    names = [format_oid(tuple(each.getComponentByPosition(0))) for each in pdu[3]]
    about["variables"] = len(names)
    about["oids"] = names[:MOST_NAMES] + (["..."] if len(names) > MOST_NAMES else [])
    return about


class _Side(asyncio.DatagramProtocol):
    """One side of the tap; what it hears it tells and hands to the other."""

    def __init__(self, way: str, trace: Trace) -> None:
        self._way = way
        self._trace = trace
        self.heard_from: tuple[Any, ...] | None = None
        self.transport: asyncio.DatagramTransport | None = None  # set before the tap is open
        self.other: _Side | None = None
        self.refused = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Tell a packet and pass it on."""
        self.heard_from = addr
        self._trace("packet", {"way": self._way, **describe(data)})
        if self.other is not None:
            self.other.send(data)

    def error_received(self, exc: Exception) -> None:
        """Tell a refusal by ICMP: nobody listens there."""
        self._trace("packet", {"way": self._way, "error": type(exc).__name__})
        if isinstance(exc, ConnectionRefusedError):
            self.refused.set()

    def send(self, data: bytes) -> None:
        """Send to the device, or back to the socket that asked last."""
        if self.transport is not None:
            is_connected = self.transport.get_extra_info("peername") is not None
            self.transport.sendto(data, None if is_connected else self.heard_from)


@dataclass(frozen=True, slots=True)
class Tap:
    """The ``port`` on 127.0.0.1 that stands for the device; ``refused`` is set when nobody listens there."""

    port: int
    refused: asyncio.Event


@asynccontextmanager
async def tapped(address: str, port: int, trace: Trace) -> AsyncIterator[Tap]:
    """Yield what stands for the device. Raises Unreachable without a route."""
    check_route(address, port, f"{address}:{port}")
    loop = asyncio.get_running_loop()
    inner, outer = _Side("out", trace), _Side("in", trace)
    inner.other, outer.other = outer, inner
    up, _ = await loop.create_datagram_endpoint(lambda: outer, remote_addr=(address, port))
    outer.transport = up
    try:
        down, _ = await loop.create_datagram_endpoint(lambda: inner, local_addr=("127.0.0.1", 0))
        try:
            inner.transport = down
            yield Tap(int(down.get_extra_info("sockname")[1]), outer.refused)
        finally:
            down.close()
    finally:
        up.close()
