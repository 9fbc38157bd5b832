"""Polling one device: the system group, then the interfaces; every failure becomes an outcome."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import MOST_PACKETS, Deadline
from kiemke.collectors.device_identity import Asked, Pace, ask
from kiemke.collectors.errors import PollError
from kiemke.collectors.igd import poll as igd
from kiemke.collectors.learned import Learned
from kiemke.collectors.server_secrets import credential_name
from kiemke.collectors.snmp import interfaces, system
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.health import Rhythm
from kiemke.collectors.snmp.reader import SnmpReader
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.report import Device, DeviceReading, Interfaces

Emit = Callable[[str, "Device | Interfaces"], Awaitable[None]]
# Groups of readings that devices gave nothing of yet, over all devices: 2,000 are through in seven minutes.
TRIES_AT_ONCE, TRIES_PER_SECOND = 120.0, 30.0


def find_credential(known: Mapping[str, Credential], task: DeviceTask) -> Credential | None:
    """Return what a device is asked with: the local file's section, else the server's secret."""
    local = known.get(task.credential)
    if local is not None or task.snmp_secret is None:
        return local
    return known.get(credential_name(task.snmp_secret))


class DevicePoller:
    """Polls devices with one set of engines; remembers what it learned about each."""

    def __init__(
        self,
        engines: Engines,
        credentials: Mapping[str, Credential],
        *,
        attempt_seconds: float = 2.0,
        attempts: int = 2,
        learned: Learned | None = None,
        trace: Trace = no_trace,
    ) -> None:
        self._engines = engines
        self._credentials = credentials
        self._attempt_seconds = attempt_seconds
        self._attempts = attempts
        self._trace = trace
        self._learned = learned or Learned()
        self.most_packets = MOST_PACKETS
        self._memories: dict[tuple[str, int], interfaces.Memory] = {}
        self._pace = Pace()
        self._tries = Pace(TRIES_AT_ONCE, TRIES_PER_SECOND)
        self._gateways: dict[tuple[str, int], igd.Memory] = {}
        self._rhythms: dict[tuple[str, int], Rhythm] = {}
        self._asked: dict[tuple[str, int], Asked] = {}

    def forget_names(self) -> None:
        """Ask every device for the names of its ports again in its next poll."""
        self._memories.clear()

    async def poll(self, task: DeviceTask, budget_seconds: float, emit: Emit) -> str:
        """Poll one device within its share of time and emit its reports. Returns the worst outcome."""
        if task.credential == igd.CREDENTIAL:
            return await self._poll_igd(task, budget_seconds, emit)
        credential = find_credential(self._credentials, task)
        if credential is None:
            detail = (
                f'no secret "{task.credential}": neither from the server (is the device within a'
                " registered subnet?) nor in credentials.toml of this collector"
            )
            await emit("device", Device(task.device, "error", detail))
            return "error"
        tuning = self._learned.tuning(task.address, task.port)
        if tuning.is_resting():
            self._trace("resting", {"device": task.device, "silent_polls": tuning.silent_polls})
            return "timeout"
        deadline = Deadline(budget_seconds, packets=self.most_packets)
        begun = time.monotonic()
        patience_seconds, attempts = tuning.patience(self._attempt_seconds, self._attempts)
        try:
            reader = await self._engines.reader(
                task.address,
                task.port,
                credential,
                tuning,
                attempt_seconds=patience_seconds,
                attempts=attempts,
                trace=self._trace,
            )
        except PollError as err:
            await emit("device", Device(task.device, err.outcome, err.detail))
            return err.outcome
        memory = self._memories.setdefault((task.address, task.port), interfaces.Memory())
        told: list[Device] = []

        async def keep(kind: str, body: Device | Interfaces) -> None:
            if isinstance(body, Device):
                told.append(body)
            await emit(kind, body)

        outcome = await poll_reader(reader, task.device, deadline, keep, memory)
        tuning.end_poll(told[0].outcome, self._attempt_seconds)
        asked = self._asked.setdefault((task.address, task.port), Asked())
        for device in told:
            identity = await ask(reader, device, asked, deadline, self._pace, self._trace)
            readings = await self._read_state(reader, task, device, deadline)
            if identity is not None or readings:
                await emit("device", replace(device, identity=identity, readings=readings or None))
        spent = round(time.monotonic() - begun, 4)
        self._trace("polled", {"device": task.device, "outcome": outcome, "seconds": spent})
        return outcome

    async def _poll_igd(self, task: DeviceTask, budget_seconds: float, emit: Emit) -> str:
        memory = self._gateways.setdefault((task.address, task.port), igd.Memory())
        deadline = Deadline(budget_seconds, packets=self.most_packets)
        return await igd.poll(
            task.device, task.address, task.port, deadline, memory, emit, self._trace
        )

    async def _read_state(
        self, reader: SnmpReader, task: DeviceTask, device: Device, deadline: Deadline
    ) -> tuple[DeviceReading, ...]:
        """Return what the device tells of its own state now, () when it did not answer."""
        if device.outcome != "ok":
            return ()
        rhythm = self._rhythms.setdefault((task.address, task.port), Rhythm())
        now = time.monotonic()
        return await rhythm.read(
            reader, deadline, now, self._trace, lambda: self._tries.may_begin(now)
        )


async def poll_reader(
    reader: SnmpReader,
    device: int,
    deadline: Deadline,
    emit: Emit,
    memory: interfaces.Memory | None = None,
) -> str:
    """Read one device through ``reader`` and emit what it says. Returns the outcome of the poll."""
    try:
        answer = await system.read(reader, device, deadline)
    except PollError as err:
        await emit("device", Device(device, err.outcome, err.detail))
        return err.outcome
    await emit("device", answer.device)
    try:
        found = await interfaces.read(reader, answer, deadline, memory)
    except PollError as err:
        found = Interfaces(device, err.outcome, detail=err.detail)
    await emit("interfaces", found)
    return found.outcome if answer.device.outcome == "ok" else answer.device.outcome
