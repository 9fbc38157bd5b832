"""Polling one address for a test, and the credentials of the test peers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.device_poll import DevicePoller
from kiemke.collectors.learned import Learned
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.report import Device, DeviceIdentity, DeviceReading, Interfaces
from kiemke.wire.secret import Secret
from tests.support.peers import SnmpdPeer


def v2c(community: str, name: str = "default") -> Credential:
    """Return a v2c credential."""
    return Credential(name, "2c", community=Secret(community))


def v1(community: str, name: str = "old") -> Credential:
    """Return a v1 credential."""
    return Credential(name, "1", community=Secret(community))


def v3(peer: SnmpdPeer, name: str = "core", **other: str) -> Credential:
    """Return the v3 authPriv credential of a test snmpd; ``other`` replaces user or keys."""
    return Credential(
        name,
        "3",
        user=other.get("user", peer.user),
        auth_protocol=other.get("auth_protocol", "SHA256"),
        auth_key=Secret(other.get("auth_key", peer.auth_key)),
        privacy_protocol=other.get("privacy_protocol", "AES128"),
        privacy_key=Secret(other.get("privacy_key", peer.priv_key)),
    )


class Polled:
    """Polls and keeps what was emitted."""

    def __init__(self, poller: DevicePoller) -> None:
        self.poller = poller
        self.emitted: list[Device | Interfaces] = []
        self.identities: list[DeviceIdentity] = []
        self.readings: list[DeviceReading] = []

    async def emit(self, kind: str, body: Device | Interfaces) -> None:
        assert kind == ("device" if isinstance(body, Device) else "interfaces")
        self.emitted.append(body)

    async def turn(self, port: int, credential: str = "default") -> str:
        """Poll 127.0.0.1:port once. Returns the outcome; what is emitted is kept."""
        return await self.poller.poll(DeviceTask(1, "127.0.0.1", port, credential), 20.0, self.emit)

    async def poll(
        self, port: int, credential: str = "default", device: int = 1, budget: float = 20.0
    ) -> tuple[Device, Interfaces | None]:
        """Poll 127.0.0.1:port once; Interfaces is None when the device never answered.

        When each row's octets were read is left out: on a busy machine no two polls take as long.
        """
        emitted: list[Device | Interfaces] = []

        async def emit(kind: str, body: Device | Interfaces) -> None:
            await self.emit(kind, body)
            if isinstance(body, Device) and (body.identity is not None or body.readings):
                if body.identity is not None:
                    self.identities.append(body.identity)
                self.readings.extend(body.readings or ())
            else:
                emitted.append(body)

        await self.poller.poll(DeviceTask(device, "127.0.0.1", port, credential), budget, emit)
        first, *rest = emitted
        assert isinstance(first, Device)
        if not rest:
            return first, None
        assert len(rest) == 1 and isinstance(rest[0], Interfaces)
        rows = tuple(replace(row, octets_ago_seconds=None) for row in rest[0].rows)
        return first, replace(rest[0], rows=rows)


@asynccontextmanager
async def polling(
    *credentials: Credential,
    attempt_seconds: float = 1.0,
    attempts: int = 2,
    trace: Trace = no_trace,
    backend: str = "gufo",
    learned: Learned | None = None,
) -> AsyncIterator[Polled]:
    """Yield a poller with these credentials; its sockets are closed at the end."""
    engines = Engines(backend=backend)
    try:
        yield Polled(
            DevicePoller(
                engines,
                {credential.name: credential for credential in credentials},
                attempt_seconds=attempt_seconds,
                attempts=attempts,
                learned=learned,
                trace=trace,
            )
        )
    finally:
        engines.close()
