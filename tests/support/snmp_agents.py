"""SNMP agents for tests: a table served as it is, and agents with the faults that are met in offices."""

import bisect
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto.rfc1902 import Counter32, Counter64, Gauge32, Integer32, OctetString, TimeTicks

from kiemke.collectors.credentials import Credential
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.machine import SnmpValue
from kiemke.collectors.snmp.pysnmp_reader import AUTH_PROTOCOLS, PRIVACY_PROTOCOLS
from kiemke.collectors.snmp.reader import Oid, parse_oid
from kiemke.collectors.snmp.responder import Instrument, Responder, View
from tests.support.peers import free_port

COMMUNITY = "fault-lab"
Next = Callable[[Oid, tuple[Oid, SnmpValue] | None], tuple[Oid, SnmpValue] | None]


class TableView:
    """Serves given objects. ``twist`` may change the answer to "what comes after this?"."""

    def __init__(self, objects: dict[Oid, SnmpValue], twist: Next | None = None) -> None:
        self.objects = objects
        self.names = sorted(objects)
        self.twist = twist
        self.questions = 0

    def get(self, oid: Oid) -> SnmpValue | None:
        self.questions += 1
        return self.objects.get(oid)

    def next(self, oid: Oid) -> tuple[Oid, SnmpValue] | None:
        self.questions += 1
        at = bisect.bisect_right(self.names, oid)
        found = (self.names[at], self.objects[self.names[at]]) if at < len(self.names) else None
        return self.twist(oid, found) if self.twist else found


def switch(ports: int, *, wide: bool = True, uptime_ticks: int = 360_000) -> dict[Oid, SnmpValue]:
    """Return the objects of a switch whose port n has counted 1000 n octets in and 2000 n out."""
    objects: dict[Oid, SnmpValue] = {
        parse_oid(oids.SYS_DESCR): OctetString("test switch"),
        parse_oid(oids.SYS_UPTIME): TimeTicks(uptime_ticks),
        parse_oid(oids.SYS_NAME): OctetString("sw-1"),
        parse_oid(oids.IF_NUMBER): Integer32(ports),
    }
    for n in range(1, ports + 1):
        row: dict[str, SnmpValue] = {
            oids.IF_DESCR: OctetString(f"Port {n}"),
            oids.IF_TYPE: Integer32(6),
            oids.IF_SPEED: Gauge32(100_000_000),
            oids.IF_ADMIN_STATUS: Integer32(1),
            oids.IF_OPER_STATUS: Integer32(1),
            oids.IF_IN_OCTETS: Counter32(1000 * n),
            oids.IF_OUT_OCTETS: Counter32(2000 * n),
            oids.IF_NAME: OctetString(f"ge{n}"),
        }
        if wide:
            row[oids.IF_HC_IN_OCTETS] = Counter64(1000 * n)
            row[oids.IF_HC_OUT_OCTETS] = Counter64(2000 * n)
        objects.update({(*parse_oid(column), n): value for column, value in row.items()})
    return objects


@asynccontextmanager
async def serving_contexts(views: dict[str, View], credential: Credential) -> AsyncIterator[int]:
    """Yield the port on 127.0.0.1 where an SNMPv3 user (authPriv) sees each view in its context."""
    port = free_port(socket.SOCK_DGRAM)
    engine = SnmpEngine()
    transport = udp.UdpAsyncioTransport().open_server_mode(("127.0.0.1", port))
    await transport._lport
    config.add_transport(engine, udp.DOMAIN_NAME, transport)
    auth_key, privacy_key = credential.auth_key, credential.privacy_key
    assert credential.user and auth_key and privacy_key
    auth, privacy = credential.auth_protocol or "", credential.privacy_protocol or ""
    config.add_v3_user(
        engine, credential.user, AUTH_PROTOCOLS[auth], auth_key.reveal(),
        PRIVACY_PROTOCOLS[privacy], privacy_key.reveal(),
    )  # fmt: skip
    made = context.SnmpContext(engine)
    made.unregister_context_name(b"")
    for name, view in views.items():
        made.register_context_name(name.encode(), Instrument(view))
        granted = {"readSubTree": (1,), "contextName": name.encode()}
        config.add_vacm_user(engine, 3, credential.user, "authPriv", **granted)
    for responder in (
        cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder,
    ):  # fmt: skip
        responder(engine, made)
    try:
        yield port
    finally:
        engine.close_dispatcher()


@asynccontextmanager
async def serving(view: View) -> AsyncIterator[int]:
    """Yield the port on 127.0.0.1 where ``view`` is served to COMMUNITY by SNMP v2c."""
    port = free_port(socket.SOCK_DGRAM)
    responder = Responder(view, COMMUNITY, port)
    await responder.open()
    try:
        yield port
    finally:
        responder.close()
