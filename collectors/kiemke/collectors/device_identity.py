"""When a polled device is asked what it is, and what of that travels.

Asking costs some dozens of requests, so it is done at first contact, after a restart or another
sysObjectID, and once a day.
"""

import math
import time
from dataclasses import dataclass

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError
from kiemke.collectors.identify import identify
from kiemke.collectors.snmp.reader import SnmpReader
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.report import Device, DeviceIdentity

DAY_SECONDS = 86_400.0
# A device that gave half an answer, or none, is asked again this much later.
AGAIN_SECONDS = 3600.0


@dataclass(slots=True)
class Pace:
    """How often something costly may begin, over all devices of a collector: some at once, then slowly.

    Without it, a start with thousands of devices would ask them all at once. The figures are those for
    identification.
    """

    at_once: float = 30.0
    per_second: float = 2.0
    _left: float = math.inf  # no more than at_once when first looked at
    _at: float = 0.0

    def may_begin(self, now: float) -> bool:
        """Take one turn if there is one (``now`` in monotonic seconds)."""
        self._left = min(self.at_once, self._left + (now - self._at) * self.per_second)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(slots=True)
class Asked:
    """When one device was last asked what it is, and what would make it another one."""

    next_at: float | None = None
    object_id: str | None = None
    uptime_seconds: float | None = None
    is_due: bool = False

    def why(self, device: Device, now: float) -> str | None:
        """Return why the device is to be asked now (``now`` in monotonic seconds), None if not."""
        uptime, before = device.sys_uptime_seconds, self.uptime_seconds
        self.uptime_seconds = uptime
        if self.next_at is None:
            return "first contact"
        if self.is_due:
            return "waited for its turn"
        if device.sys_object_id != self.object_id:
            return "another sysObjectID"
        if uptime is not None and before is not None and uptime < before:
            return "restarted"
        return "last asked long ago" if now >= self.next_at else None


async def ask(
    reader: SnmpReader,
    device: Device,
    asked: Asked,
    deadline: Deadline,
    pace: Pace,
    trace: Trace = no_trace,
) -> DeviceIdentity | None:
    """Return what the device is when it is time to ask; None when not, or without an answer."""
    now = time.monotonic()
    because = asked.why(device, now)
    if because is None or device.outcome != "ok":
        return None
    asked.is_due = not pace.may_begin(now)
    if asked.is_due:
        return None
    trace("identify", {"because": because})
    asked.object_id = device.sys_object_id
    asked.next_at = now + AGAIN_SECONDS
    try:
        found = await identify(reader, deadline, with_ports=False, trace=trace)
    except PollError as err:
        trace("identify", {"error": err.detail})
        return None
    if found.error is None:
        asked.next_at = now + DAY_SECONDS
    return DeviceIdentity(
        complete=found.error is None,
        vendor=found.vendor,
        kind=found.kind,
        model=found.model,
        version=found.version,
        serial=found.serial,
        name=found.name,
        location=found.location,
    )
