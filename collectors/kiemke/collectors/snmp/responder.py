"""A small SNMP v2c agent on loopback that serves this machine's own counters, read-only.

For a demonstration on a machine without snmpd:
    python -m kiemke.collectors.snmp.responder --port 16161 --community demo
"""

import argparse
import asyncio
import signal
from pathlib import Path
from typing import Any, Protocol

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto import rfc1905
from pysnmp.proto.rfc1902 import ObjectName

from kiemke.collectors.snmp.machine import MachineView, SnmpValue
from kiemke.collectors.snmp.reader import Oid

ANY_OBJECT = (1,)


class View(Protocol):
    """The objects a responder serves, in order."""

    def get(self, oid: Oid) -> SnmpValue | None:
        """Return the object's value, None when there is no such object."""

    def next(self, oid: Oid) -> tuple[Oid, SnmpValue] | None:
        """Return the first object after ``oid``, None at the end."""


class Instrument:
    """A View in the shape that pysnmp's command responders call."""

    def __init__(self, view: View) -> None:
        self._view = view

    def read_variables(self, *pairs: Any, **_: Any) -> list[tuple[Any, Any]]:
        """Answer a GET."""
        found = ((oid, self._view.get(tuple(oid))) for oid, _ in pairs)
        return [(oid, rfc1905.noSuchInstance if value is None else value) for oid, value in found]

    def read_next_variables(self, *pairs: Any, **_: Any) -> list[tuple[Any, Any]]:
        """Answer one round of a GETNEXT or GETBULK."""
        answer: list[tuple[Any, Any]] = []
        for oid, _value in pairs:
            found = self._view.next(tuple(oid))
            if found is None:
                answer.append((oid, rfc1905.endOfMibView))
            else:
                answer.append((ObjectName(found[0]), found[1]))
        return answer


class Responder:
    """Serves a View by SNMP v2c on one address; ``open()`` inside a running event loop."""

    def __init__(self, view: View, community: str, port: int, host: str = "127.0.0.1") -> None:
        self._view = view
        self._community = community
        self._place = (host, port)
        self._engine: Any = None  # pysnmp ships no types

    async def open(self) -> None:
        """Bind and begin to answer. Raises OSError when the port is taken."""
        engine = self._engine = SnmpEngine()
        transport = udp.UdpAsyncioTransport().open_server_mode(self._place)
        # The library binds in a task of its own; waiting for it brings the OSError here.
        await transport._lport
        config.add_transport(engine, udp.DOMAIN_NAME, transport)
        config.add_v1_system(engine, "reader", self._community)
        config.add_vacm_user(engine, 2, "reader", "noAuthNoPriv", ANY_OBJECT)
        views = context.SnmpContext(engine)
        views.unregister_context_name(b"")
        views.register_context_name(b"", Instrument(self._view))
        cmdrsp.GetCommandResponder(engine, views)
        cmdrsp.NextCommandResponder(engine, views)
        cmdrsp.BulkCommandResponder(engine, views)

    def close(self) -> None:
        """Stop answering and give the port back."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None


async def _serve(community: str, host: str, port: int) -> None:
    responder = Responder(MachineView(), community, port, host)
    await responder.open()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    responder.close()


def main(arguments: list[str] | None = None) -> int:
    """Run the responder until SIGINT or SIGTERM. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m kiemke.collectors.snmp.responder",
        description="Serve this machine's own interface counters by SNMP v2c, read-only.",
        epilog="example: python -m kiemke.collectors.snmp.responder --port 16161 --community demo",
    )
    parser.add_argument("--port", type=int, required=True, help="UDP port")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default 127.0.0.1)")
    parser.add_argument("--community", default="public", help="read community (default public)")
    given = parser.parse_args(arguments)
    if not Path("/proc/net/dev").exists():
        parser.exit(1, "this machine has no /proc/net/dev: the responder needs Linux\n")
    try:
        asyncio.run(_serve(given.community, given.host, given.port))
    except OSError as err:
        parser.exit(1, f"cannot serve {given.host}:{given.port}: {err.strerror}; choose --port\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
