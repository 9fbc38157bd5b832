"""The system group of a device (SNMPv2-MIB, RFC 3418)."""

from dataclasses import dataclass

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.snmp import oids, values
from kiemke.collectors.snmp.reader import SnmpReader
from kiemke.wire.report import Device

OIDS = (
    oids.SYS_DESCR,
    oids.SYS_OBJECT_ID,
    oids.SYS_UPTIME,
    oids.SYS_CONTACT,
    oids.SYS_NAME,
    oids.SYS_LOCATION,
    oids.IF_NUMBER,
    oids.IF_TABLE_LAST_CHANGE,
)
SYSTEM_COUNT = 6


@dataclass(frozen=True, slots=True)
class SystemAnswer:
    """The device's system group, and what tells whether its interface table is still the same.

    ``interface_count`` is ifNumber (also a hint for the walks), ``table_changed_ticks``
    ifTableLastChange in 1/100 s.
    """

    device: Device
    interface_count: int | None = None
    table_changed_ticks: int | None = None


async def read(reader: SnmpReader, device: int, deadline: Deadline) -> SystemAnswer:
    """Return the system group of one device; what it does not say is None.

    An agent that answers but has none of these objects is "partial". Raises PollError when it does
    not answer.
    """
    got = await reader.get(OIDS, deadline)
    is_empty = not any(oid in got for oid in OIDS[:SYSTEM_COUNT])
    return SystemAnswer(
        device=Device(
            device=device,
            outcome="partial" if is_empty else "ok",
            detail="the device answers but shows no system group" if is_empty else None,
            sys_descr=values.read_text(got.get(oids.SYS_DESCR)),
            sys_object_id=values.read_oid(got.get(oids.SYS_OBJECT_ID)),
            sys_name=values.read_text(got.get(oids.SYS_NAME)),
            sys_location=values.read_text(got.get(oids.SYS_LOCATION)),
            sys_contact=values.read_text(got.get(oids.SYS_CONTACT)),
            sys_uptime_seconds=values.read_ticks_seconds(got.get(oids.SYS_UPTIME)),
        ),
        interface_count=values.read_counter(got.get(oids.IF_NUMBER)),
        table_changed_ticks=values.read_counter(got.get(oids.IF_TABLE_LAST_CHANGE)),
    )
