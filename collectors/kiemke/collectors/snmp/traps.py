"""Traps and informs of devices, SNMP v1, v2c and v3.

Anybody can write the sender's address and a community into a packet: a trap is a reason to look at a
device now, and changes nothing by itself. Only one that a v3 user signed is an event. Packets of
addresses that no assigned device has are dropped unread; of each of the others only so many are read.
"""

import asyncio
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.carrier.asyncio.base import AbstractAsyncioTransport
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.error import PySnmpError
from pysnmp.proto.api import decodeMessageVersion, v1, v2c
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from kiemke.collectors.credentials import Credential
from kiemke.collectors.snmp import oids, values
from kiemke.collectors.snmp.pysnmp_reader import AUTH_PROTOCOLS, PRIVACY_PROTOCOLS, plain
from kiemke.collectors.snmp.reader import Value, format_oid
from kiemke.collectors.snmp.trap_engines import TrapEngines

log = logging.getLogger(__name__)

TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"  # snmpTrapOID.0, SNMPv2-MIB RFC 3418
STANDARD = "1.3.6.1.6.3.1.1.5."  # snmpTraps, whose numbers are v1's generic traps plus one
NAMES = {
    1: "coldStart", 2: "warmStart", 3: "linkDown", 4: "linkUp", 5: "authenticationFailure",
    6: "egpNeighborLoss",
}  # fmt: skip
SPECIFIC = 6  # v1's generic trap that stands for "see the maker's number"
# So many packets of one address are read at once, and so many a second in the long run.
BURST = 10.0
PER_SECOND = 1 / 6
MOST_ENGINES = 4  # of one address: more is somebody who makes them up
LONGEST_ENGINE = 32  # octets of an engine's name, SnmpEngineID in RFC 3411
LONGEST_NAME = 128  # arcs of an object's name, RFC 2578 section 3.5
MESSAGES: dict[int, Any] = {0: v1, 1: v2c}  # pysnmp ships no types
SIGNED = 2  # securityLevel authNoPriv, RFC 3411
UNREADABLE = (PyAsn1Error, PySnmpError, ValueError, LookupError, TypeError, AttributeError)
Variables = Sequence[tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Sender:
    """An assigned device as the sender of traps; ``credential`` is what it is polled with, if known."""

    device: int
    credential: Credential | None


@dataclass(frozen=True, slots=True)
class Trap:
    """What one notification says. ``is_proven``: a v3 user that the device is polled with signed it.

    ``name`` is that of a standard trap, else the number. ``detail`` holds what it tells of a port.
    """

    name: str
    oid: str
    version: str
    is_proven: bool = False
    detail: dict[str, str] = field(default_factory=dict)


OnTrap = Callable[[Sender, Trap], None]


class TrapReceiver(asyncio.DatagramProtocol):
    """One UDP port. ``senders`` tells which assigned devices have an address, none for strangers."""

    def __init__(
        self,
        senders: Callable[[str], Sequence[Sender]],
        on_trap: OnTrap,
        known: TrapEngines | None = None,
    ) -> None:
        self._senders = senders
        self._on_trap = on_trap
        self._known = known or TrapEngines()
        self._transport: asyncio.DatagramTransport | None = None
        self._allowances: dict[str, tuple[float, float]] = {}
        self._engines: dict[str, _Engine] = {}
        self._engines_of_host: dict[str, set[bytes]] = {}
        self.counts: Counter[str] = Counter()

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(host, port)
        )
        return int(self._transport.get_extra_info("sockname")[1])

    def close(self) -> None:
        """Give the port back."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take one packet; what is wrong with it is counted and nothing else."""
        host = _plain_address(str(addr[0]))
        senders = self._senders(host)
        if not senders:
            self.counts["unknown"] += 1
            return
        if not self._may_speak(host):
            self.counts["flooded"] += 1
            return
        try:
            version = int(decodeMessageVersion(data))
            if version == 3:
                trap = self._take_signed(data, addr, host, senders)
            else:
                trap = self._take_plain(data, addr, version)
        except UNREADABLE:
            self.counts["unreadable"] += 1
            return
        if trap is None:
            return
        self.counts["taken"] += 1
        for sender in senders:
            self._on_trap(sender, trap)

    def error_received(self, exc: Exception) -> None:
        """Leave refusals aside: whoever sent an inform is gone."""

    def send(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Answer an inform."""
        if self._transport is not None:
            self._transport.sendto(data, addr)

    def _may_speak(self, host: str) -> bool:
        """Say whether one more packet of this address is read; a packet takes one of its allowance."""
        now = time.monotonic()
        left, since = self._allowances.get(host, (BURST, now))
        left = min(BURST, left + (now - since) * PER_SECOND)
        self._allowances[host] = (max(0.0, left - 1.0), now)
        return left >= 1.0

    def _take_plain(self, data: bytes, addr: tuple[Any, ...], version: int) -> Trap | None:
        """Read a v1 or v2c notification and answer an inform. Raises one of UNREADABLE."""
        module = MESSAGES[version]
        message, _ = decoder.decode(data, asn1Spec=module.Message())
        pdu = module.apiMessage.get_pdu(message)
        if version == 0:
            if not pdu.isSameTypeWith(v1.TrapPDU()):
                return None
            return _read_v1(pdu)
        is_inform = pdu.isSameTypeWith(v2c.InformRequestPDU())
        if not is_inform and not pdu.isSameTypeWith(v2c.SNMPv2TrapPDU()):
            return None
        trap = read_variables(v2c.apiPDU.get_varbinds(pdu), "2c")
        if is_inform:
            answer = v2c.apiMessage.get_response(message)
            v2c.apiPDU.set_varbinds(v2c.apiMessage.get_pdu(answer), v2c.apiPDU.get_varbinds(pdu))
            self.send(encoder.encode(answer), addr)
        return trap

    def _take_signed(
        self, data: bytes, addr: tuple[Any, ...], host: str, senders: Sequence[Sender]
    ) -> Trap | None:
        """Let the engine of the device's own v3 credential read a packet. Raises one of UNREADABLE."""
        message, _ = decoder.decode(data, asn1Spec=SNMPv3Message())
        told, _ = decoder.decode(
            bytes(message.getComponentByName("msgSecurityParameters")),
            asn1Spec=UsmSecurityParameters(),
        )
        user = bytes(told.getComponentByName("msgUserName")).decode("utf-8")
        known = next(
            (s.credential for s in senders if s.credential and s.credential.version == "3"), None
        )
        # Without a user it is the question that comes before an inform.
        if known is None or (user and user != known.user):
            self.counts["refused"] += 1
            return None
        engine = self._engine_of(known)
        speaker = bytes(told.getComponentByName("msgAuthoritativeEngineId"))
        if speaker and speaker != engine.id and not self._is_believable(speaker, host):
            self.counts["refused"] += 1
            return None
        trap = engine.take(data, addr, speaker)
        if trap is None:
            # Also an engine's answer to a question, which is no trap; a wrong key is among the rest.
            self.counts["refused"] += bool(user and speaker)
            return None
        if trap.is_proven and speaker != engine.id and not self._is_news(told, speaker, host):
            self.counts["copied"] += 1
            return replace(trap, is_proven=False)
        return trap

    def _is_news(self, told: UsmSecurityParameters, speaker: bytes, host: str) -> bool:
        """Say whether a signed packet is no copy of an older one; a copy is a reason to look, no more."""
        boots = int(told.getComponentByName("msgAuthoritativeEngineBoots"))
        seconds = int(told.getComponentByName("msgAuthoritativeEngineTime"))
        return self._known.take(speaker, host, boots, seconds, time.time(), time.monotonic())

    def _is_believable(self, speaker: bytes, host: str) -> bool:
        """Say whether an engine may speak from this address: not with another's name, nor with many."""
        owner = self._known.owner(speaker)
        if owner is not None and (owner == host or self._senders(owner)):
            return owner == host
        if len(speaker) > LONGEST_ENGINE:
            return False
        asked = self._engines_of_host.setdefault(host, set())
        if speaker not in asked and len(asked) < MOST_ENGINES:
            asked.add(speaker)
        return speaker in asked

    def _engine_of(self, credential: Credential) -> "_Engine":
        engine = self._engines.get(credential.name)
        if engine is None or engine.credential is not credential:
            if engine is not None:
                engine.close()
            engine = self._engines[credential.name] = _Engine(credential, self.send)
        return engine


class _Pipe(AbstractAsyncioTransport):  # type: ignore[misc]  # pysnmp ships no types
    """What an engine takes for its socket: packets come by ``take``, answers go by ``send``."""

    ADDRESS_TYPE = udp.UdpTransportAddress

    def __init__(self, send: Callable[[bytes, tuple[Any, ...]], None]) -> None:
        self._send = send

    def take(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._callback_function(self, self.ADDRESS_TYPE(addr[:2]), data)

    def send_message(self, outgoingMessage: bytes, transportAddress: Any) -> None:
        """Hand an answer to the socket."""
        self._send(bytes(outgoingMessage), tuple(transportAddress))


class _Engine:
    """pysnmp's v3 for one credential: checks signature, time and key, and says what came through."""

    def __init__(
        self, credential: Credential, send: Callable[[bytes, tuple[Any, ...]], None]
    ) -> None:
        self.credential = credential
        self._level = 0
        self._trap: Trap | None = None
        engine = self._engine = SnmpEngine()
        self._pipe = _Pipe(send)
        config.add_transport(engine, udp.DOMAIN_NAME, self._pipe)
        given: dict[str, Any] = {}
        if credential.auth_key is not None and credential.auth_protocol is not None:
            given["authProtocol"] = AUTH_PROTOCOLS[credential.auth_protocol]
            given["authKey"] = credential.auth_key.reveal()
        if credential.privacy_key is not None and credential.privacy_protocol is not None:
            given["privProtocol"] = PRIVACY_PROTOCOLS[credential.privacy_protocol]
            given["privKey"] = credential.privacy_key.reveal()
        self._keys = given
        self._speakers: set[bytes] = set()
        config.add_v3_user(engine, credential.user, **given)
        engine.observer.register_observer(self._see, "rfc3412.receiveMessage:request")
        ntfrcv.NotificationReceiver(engine, self._keep)

    @property
    def id(self) -> bytes:
        """The engine's own name: that of the receiver of informs."""
        return bytes(self._engine.snmpEngineID)

    def take(self, data: bytes, addr: tuple[Any, ...], speaker: bytes) -> Trap | None:
        """Return what a packet says when its sender could prove what it claims. Raises UNREADABLE.

        The speaker of a trap is the sender's own engine, for which the keys are made at first sight.
        """
        if speaker not in (b"", self.id, *self._speakers):
            self._speakers.add(speaker)
            config.add_v3_user(
                self._engine,
                self.credential.user,
                **self._keys,
                securityEngineId=v2c.OctetString(speaker),
            )
        self._trap, self._level = None, 0
        self._pipe.take(data, addr)
        return self._trap

    def close(self) -> None:
        """Close the engine."""
        self._engine.close_dispatcher()

    def _see(self, _engine: Any, _point: str, seen: dict[str, Any], _context: Any) -> None:
        self._level = int(seen["securityLevel"])

    def _keep(self, _e: Any, _s: Any, _i: Any, _n: Any, variables: Variables, _c: Any) -> None:
        self._trap = read_variables(variables, "3", is_proven=self._level >= SIGNED)


def _plain_address(text: str) -> str:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _read_v1(pdu: Any) -> Trap:
    """Return a v1 trap under the number v2c has for it (RFC 3584 section 3.1)."""
    generic = int(v1.apiTrapPDU.get_generic_trap(pdu))
    if generic == SPECIFIC:
        enterprise = format_oid(tuple(v1.apiTrapPDU.get_enterprise(pdu)))
        oid = f"{enterprise}.0.{int(v1.apiTrapPDU.get_specific_trap(pdu))}"
    else:
        oid = f"{STANDARD}{generic + 1}"
    return _make(oid, _by_name(v1.apiTrapPDU.get_varbinds(pdu)), "1", is_proven=False)


def read_variables(variables: Variables, version: str, *, is_proven: bool = False) -> Trap:
    """Return a v2c or v3 notification by its variables. Raises ValueError without snmpTrapOID."""
    found = _by_name(variables)
    number = found.get(TRAP_OID)
    if not isinstance(number, tuple):
        raise ValueError("a notification without snmpTrapOID")
    return _make(format_oid(number), found, version, is_proven=is_proven)


def _by_name(variables: Variables) -> dict[str, Value | None]:
    return {format_oid(tuple(name)): plain(value) for name, value in variables}


def _make(oid: str, found: dict[str, Value | None], version: str, *, is_proven: bool) -> Trap:
    if oid.count(".") >= LONGEST_NAME:
        raise ValueError("a name longer than any")
    name = oid
    if oid.startswith(STANDARD) and oid.removeprefix(STANDARD).isdecimal():
        name = NAMES.get(int(oid.removeprefix(STANDARD)), oid)
    detail: dict[str, str] = {}
    for column, key in (
        (oids.IF_INDEX, "index"),
        (oids.IF_DESCR, "description"),
        (oids.IF_NAME, "interface"),
    ):
        for each, value in found.items():
            if each.startswith(f"{column}."):
                text = values.read_text(value) if isinstance(value, bytes) else value
                if text is not None and not isinstance(text, tuple):
                    detail[key] = str(text)[:255]
    return Trap(name, oid, version, is_proven, detail)
