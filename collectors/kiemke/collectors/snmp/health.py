"""How a device is: processor, memory, temperatures, toner, battery, PoE, by the standard MIBs.

Sources: HOST-RESOURCES-MIB (RFC 2790), UCD-SNMP-MIB, ENTITY-SENSOR-MIB (RFC 3433), Printer-MIB
(RFC 3805), UPS-MIB (RFC 1628), POWER-ETHERNET-MIB (RFC 3621). Each is read in a rhythm of its own; one
that a device does not have is asked for once a day, one that fails waits for its next turn.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value, format_oid
from kiemke.collectors.snmp.values import read_number, read_text
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.report import DeviceReading

STORAGE = "1.3.6.1.2.1.25.2.3.1"  # hrStorageEntry
STORAGE_TYPE, STORAGE_SIZE, STORAGE_USED = f"{STORAGE}.2", f"{STORAGE}.5", f"{STORAGE}.6"
STORAGE_RAM = (1, 3, 6, 1, 2, 1, 25, 2, 1, 2)  # hrStorageRam
PROCESSOR_LOAD = "1.3.6.1.2.1.25.3.3.1.2"  # hrProcessorLoad, percent of the last minute
UCD_CPU_IDLE = "1.3.6.1.4.1.2021.11.11.0"  # ssCpuIdle, percent
UCD_TOTAL, UCD_FREE = (
    "1.3.6.1.4.1.2021.4.5.0",
    "1.3.6.1.4.1.2021.4.6.0",
)  # memTotalReal, memAvailReal
UCD_BUFFER, UCD_CACHED = "1.3.6.1.4.1.2021.4.14.0", "1.3.6.1.4.1.2021.4.15.0"  # kB, as the others
SENSOR = "1.3.6.1.2.1.99.1.1.1"  # entPhySensorEntry: type, scale, precision, value, status
SENSOR_TYPE, SENSOR_SCALE, SENSOR_PRECISION = f"{SENSOR}.1", f"{SENSOR}.2", f"{SENSOR}.3"
SENSOR_VALUE, SENSOR_STATUS = f"{SENSOR}.4", f"{SENSOR}.5"
ENTITY_NAME = "1.3.6.1.2.1.47.1.1.1.1.7"  # entPhysicalName
CELSIUS, SENSOR_OK, SCALE_UNITS = 8, 1, 9
PRINTER_STATUS = "1.3.6.1.2.1.25.3.5.1.1"  # hrPrinterStatus: 3 idle, 4 printing, 5 warming up
PRINTER_ERRORS = "1.3.6.1.2.1.25.3.5.1.2"  # hrPrinterDetectedErrorState, bits from the left
LIFE_COUNT = "1.3.6.1.2.1.43.10.2.1.4"  # prtMarkerLifeCount
SUPPLY = "1.3.6.1.2.1.43.11.1.1"  # prtMarkerSuppliesEntry
SUPPLY_NAME, SUPPLY_MOST, SUPPLY_LEVEL = f"{SUPPLY}.6", f"{SUPPLY}.8", f"{SUPPLY}.9"
UPS_BATTERY_STATUS = "1.3.6.1.2.1.33.1.2.1.0"  # upsBatteryStatus: 2 normal, 3 low, 4 depleted
UPS_MINUTES = "1.3.6.1.2.1.33.1.2.3.0"  # upsEstimatedMinutesRemaining
UPS_CHARGE = "1.3.6.1.2.1.33.1.2.4.0"  # upsEstimatedChargeRemaining, percent
UPS_SOURCE = "1.3.6.1.2.1.33.1.4.1.0"  # upsOutputSource: 3 normal, 5 battery
UPS_LOAD = "1.3.6.1.2.1.33.1.4.4.1.5"  # upsOutputPercentLoad, by line
POE = "1.3.6.1.2.1.105.1.3.1.1"  # pethMainPseEntry
POE_CAPACITY, POE_USED = f"{POE}.2", f"{POE}.4"  # pethMainPsePower, -ConsumptionPower, W

TROUBLES = (
    "low_paper", "no_paper", "low_toner", "no_toner", "door_open", "jammed", "offline",
    "service_requested",
)  # fmt: skip
ON_BATTERY, LOW_BATTERY, PRINTING = 5, (3, 4), 4
LONGEST_LABEL = 100
MOST_READINGS = 500
OFTEN_SECONDS, SELDOM_SECONDS, LACKING_SECONDS = 50.0, 290.0, 86_400.0

Ask = Callable[[SnmpReader, Deadline], Awaitable[list[DeviceReading]]]
Columns = dict[str, dict[Oid, Value]]


async def _columns(reader: SnmpReader, deadline: Deadline, *names: str) -> Columns:
    """Return the columns whole. Raises PollError also when the walk ended early."""
    walk = await reader.walk(names, deadline, None)
    if walk.problem is not None:
        raise walk.problem
    return walk.cells


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or whole is None or whole <= 0 or not 0 <= part <= whole:
        return None
    return part / whole


def _percent(name: str, value: Value | None, part: str = "", label: str | None = None,
             most: int = 100) -> list[DeviceReading]:  # fmt: skip
    number = read_number(value)
    if number is None or not 0 <= number <= most:
        return []
    return [DeviceReading(name, number / 100, part, label)]


async def read_processor(reader: SnmpReader, deadline: Deadline) -> list[DeviceReading]:
    """Return the mean load of the processors, else what UCD-SNMP-MIB says."""
    loads = (await _columns(reader, deadline, PROCESSOR_LOAD))[PROCESSOR_LOAD].values()
    numbers = [load for load in loads if isinstance(load, int) and 0 <= load <= 100]
    if numbers:
        return [DeviceReading("cpu_ratio", sum(numbers) / len(numbers) / 100)]
    idle = read_number((await reader.get((UCD_CPU_IDLE,), deadline)).get(UCD_CPU_IDLE))
    if idle is None or not 0 <= idle <= 100:
        return []
    return [DeviceReading("cpu_ratio", (100 - idle) / 100)]


async def read_memory(reader: SnmpReader, deadline: Deadline) -> list[DeviceReading]:
    """Return the share of memory in use: UCD-SNMP-MIB without buffers, else hrStorage of RAM."""
    got = await reader.get((UCD_TOTAL, UCD_FREE, UCD_BUFFER, UCD_CACHED), deadline)
    total, free = read_number(got.get(UCD_TOTAL)), read_number(got.get(UCD_FREE))
    if total is not None and free is not None:
        spare = free + sum(read_number(got.get(oid)) or 0 for oid in (UCD_BUFFER, UCD_CACHED))
        used = _share(total - spare, total)
        return [] if used is None else [DeviceReading("memory_used_ratio", used)]
    cells = await _columns(reader, deadline, STORAGE_TYPE, STORAGE_SIZE, STORAGE_USED)
    for row in (row for row, kind in cells[STORAGE_TYPE].items() if kind == STORAGE_RAM):
        size = read_number(cells[STORAGE_SIZE].get(row))
        used = _share(read_number(cells[STORAGE_USED].get(row)), size)
        if used is not None:
            return [DeviceReading("memory_used_ratio", used)]
    return []


async def read_temperatures(reader: SnmpReader, deadline: Deadline) -> list[DeviceReading]:
    """Return every sensor of degrees Celsius that says it works."""
    cells = await _columns(
        reader, deadline, SENSOR_TYPE, SENSOR_SCALE, SENSOR_PRECISION, SENSOR_VALUE, SENSOR_STATUS
    )
    rows = [
        row
        for row, kind in cells[SENSOR_TYPE].items()
        if kind == CELSIUS and cells[SENSOR_STATUS].get(row) == SENSOR_OK
    ]
    if not rows:
        return []
    names = (await _columns(reader, deadline, ENTITY_NAME))[ENTITY_NAME]
    found = []
    for row in rows:
        value = read_number(cells[SENSOR_VALUE].get(row))
        scale = read_number(cells[SENSOR_SCALE].get(row)) or SCALE_UNITS
        precision = read_number(cells[SENSOR_PRECISION].get(row)) or 0
        if value is None or not 1 <= scale <= 17 or not -8 <= precision <= 9:
            continue
        degrees = value * 10.0 ** (3 * (scale - SCALE_UNITS) - max(0, precision))
        if -90.0 <= degrees <= 300.0:
            found.append(
                DeviceReading(
                    "temperature_celsius", degrees, format_oid(row), _label(names.get(row))
                )
            )
    return found


async def read_printer(reader: SnmpReader, deadline: Deadline) -> list[DeviceReading]:
    """Return supplies left, pages printed since it was made, and what troubles the printer.

    A supply that only says "some is left" (-3) or "unknown" (-2) has no share.
    """
    cells = await _columns(reader, deadline, SUPPLY_NAME, SUPPLY_MOST, SUPPLY_LEVEL, LIFE_COUNT)
    found = []
    for row, level in cells[SUPPLY_LEVEL].items():
        left = _share(read_number(level), read_number(cells[SUPPLY_MOST].get(row)))
        if left is not None:
            label = _label(cells[SUPPLY_NAME].get(row))
            found.append(DeviceReading("supply_left_ratio", left, format_oid(row), label))
    for row, count in cells[LIFE_COUNT].items():
        pages = read_number(count)
        if pages is not None and pages >= 0:
            found.append(DeviceReading("printed_pages", float(pages), format_oid(row)))
    if found:
        states = await _columns(reader, deadline, PRINTER_STATUS, PRINTER_ERRORS)
        for row, status in states[PRINTER_STATUS].items():
            if isinstance(status, int):
                found.append(
                    DeviceReading("printer_printing", float(status == PRINTING), format_oid(row))
                )
        for row, bits in states[PRINTER_ERRORS].items():
            set_bits = bits[0] if isinstance(bits, bytes) and bits else 0
            found += [
                DeviceReading(f"printer_{name}", float(bool(set_bits & 0x80 >> n)), format_oid(row))
                for n, name in enumerate(TROUBLES)
            ]
    return found


async def read_ups(reader: SnmpReader, deadline: Deadline) -> list[DeviceReading]:
    """Return charge, minutes left, load and whether it runs on its battery."""
    scalars = (UPS_BATTERY_STATUS, UPS_MINUTES, UPS_CHARGE, UPS_SOURCE)
    got = await reader.get(scalars, deadline)
    found = _percent("ups_charge_ratio", got.get(UPS_CHARGE))
    source, status = read_number(got.get(UPS_SOURCE)), read_number(got.get(UPS_BATTERY_STATUS))
    minutes = read_number(got.get(UPS_MINUTES))
    if source is not None:
        found.append(DeviceReading("ups_on_battery", float(source == ON_BATTERY)))
    if status is not None and status > 1:
        found.append(DeviceReading("ups_battery_low", float(status in LOW_BATTERY)))
    if minutes is not None and minutes >= 0:
        found.append(DeviceReading("ups_left_seconds", minutes * 60.0))
    if found:
        for row, load in (await _columns(reader, deadline, UPS_LOAD))[UPS_LOAD].items():
            found += _percent("ups_load_ratio", load, format_oid(row), most=200)
    return found


async def read_poe(reader: SnmpReader, deadline: Deadline) -> list[DeviceReading]:
    """Return the watts each PoE supply can give, and gives."""
    cells = await _columns(reader, deadline, POE_CAPACITY, POE_USED)
    found = []
    for name, column in (("poe_capacity_watts", POE_CAPACITY), ("poe_used_watts", POE_USED)):
        for row, value in cells[column].items():
            watts = read_number(value)
            if watts is not None and watts >= 0:
                found.append(DeviceReading(name, float(watts), format_oid(row)))
    return found


def _label(value: Value | None) -> str | None:
    text = read_text(value)
    return None if text is None else text[:LONGEST_LABEL]


GROUPS: Mapping[str, tuple[float, Ask]] = {
    "ups": (OFTEN_SECONDS, read_ups),
    "processor": (SELDOM_SECONDS, read_processor),
    "memory": (SELDOM_SECONDS, read_memory),
    "temperatures": (SELDOM_SECONDS, read_temperatures),
    "printer": (SELDOM_SECONDS, read_printer),
    "poe": (SELDOM_SECONDS, read_poe),
}


@dataclass(slots=True)
class Rhythm:
    """When each group of one device is due again, in monotonic seconds, and which ones it answered."""

    next_at: dict[str, float] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    async def read(
        self,
        reader: SnmpReader,
        deadline: Deadline,
        now: float,
        trace: Trace = no_trace,
        may_try: Callable[[], bool] = lambda: True,
    ) -> tuple[DeviceReading, ...]:
        """Return the readings of the groups that are due; () when nothing is or nothing came.

        Every reading of a name is there or none is. A failing group costs the others nothing. ``may_try``
        is asked before each group that gave nothing yet: that it is lacking costs more than its answer.
        """
        found: list[DeviceReading] = []
        for name, (every_seconds, ask) in GROUPS.items():
            if now < self.next_at.get(name, now) or deadline.is_over():
                continue
            if name not in self.answered and not may_try():
                continue  # its turn comes in a later poll
            self.next_at[name] = now + SELDOM_SECONDS
            try:
                readings = await ask(reader, deadline)
            except PollError as err:
                trace("readings", {"group": name, "error": err.detail})
                continue
            self.next_at[name] = now + (every_seconds if readings else LACKING_SECONDS)
            (self.answered.add if readings else self.answered.discard)(name)
            trace("readings", {"group": name, "count": len(readings)})
            if len(found) + len(readings) <= MOST_READINGS:
                found += readings
        return tuple(found)
