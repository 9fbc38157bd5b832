"""Reading the tables of assigned devices, each in its own slow rhythm beside the polls."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.device_poll import find_credential
from kiemke.collectors.discover import tables
from kiemke.collectors.errors import PollError
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.reader import SnmpReader, Tuning
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.lan import Neighbours

Emit = Callable[[str, Neighbours], Awaitable[None]]

# A device that did not answer, or has no credential here, is asked again this much later.
AGAIN_SECONDS = 300.0


@dataclass(slots=True)
class TableVisits:
    """Visits devices with one set of engines; remembers when each is due again (monotonic seconds)."""

    engines: Engines
    credentials: Mapping[str, Credential]
    every_seconds: float
    attempt_seconds: float = 2.0
    trace: Trace = no_trace
    _due: dict[int, float] = field(default_factory=dict)
    _tunings: dict[tuple[str, int], Tuning] = field(default_factory=dict)

    async def visit(self, task: DeviceTask, budget_seconds: float, emit: Emit) -> str:
        """Read one device's tables when it is due and emit them. Returns the outcome.

        Nothing is sent to a device for which there is no credential: its poll says so already.
        """
        now = time.monotonic()
        if now < self._due.get(task.device, now):
            return "ok"
        credential = find_credential(self.credentials, task)
        if credential is None:
            self._due[task.device] = now + AGAIN_SECONDS
            return "ok"
        found = await self.read(task, credential, Deadline(budget_seconds))
        good = found.outcome in ("ok", "partial")
        self._due[task.device] = now + (self.every_seconds if good else AGAIN_SECONDS)
        await emit("neighbours", found)
        return found.outcome

    async def read(
        self, task: DeviceTask, credential: Credential, deadline: Deadline
    ) -> Neighbours:
        """Return a device's tables, or why there are none."""

        async def of_vlan(vlan: int) -> SnmpReader:
            return await self._reader(task, tables.vlan_credential(credential, vlan), Tuning())

        tuning = self._tunings.setdefault((task.address, task.port), Tuning())
        try:
            reader = await self._reader(task, credential, tuning)
        except PollError as err:
            return Neighbours(task.device, err.outcome, detail=err.detail)
        return await tables.read(reader, task.device, deadline, of_vlan=of_vlan, trace=self.trace)

    async def _reader(self, task: DeviceTask, credential: Credential, tuning: Tuning) -> SnmpReader:
        return await self.engines.reader(
            task.address,
            task.port,
            credential,
            tuning,
            attempt_seconds=self.attempt_seconds,
            trace=self.trace,
        )
