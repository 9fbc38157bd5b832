"""The interfaces of a device: ifTable, ifXTable (RFC 2863) and duplex (RFC 3635), merged by ifIndex.

Raw counters travel as the device gives them; rates are made once, on the server. What a device calls
its ports (names, types, addresses) is walked apart and remembered for some minutes; what it counts is
walked in every poll between two readings of sysUpTime: a device that restarted in between is not
believed. A walk over a bad line takes seconds: each row says when its octets were read.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError
from kiemke.collectors.moments import ago_seconds
from kiemke.collectors.snmp import oids, values
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value, Walk
from kiemke.collectors.snmp.system import SystemAnswer
from kiemke.wire.report import InterfaceReading, Interfaces

DESCRIPTIVE = (
    oids.IF_DESCR,
    oids.IF_TYPE,
    oids.IF_PHYS_ADDRESS,
    oids.IF_NAME,
    oids.IF_ALIAS,
)
COUNTED = (
    oids.IF_HC_IN_OCTETS,
    oids.IF_HC_OUT_OCTETS,
    oids.IF_ADMIN_STATUS,
    oids.IF_OPER_STATUS,
    oids.IF_IN_ERRORS,
    oids.IF_OUT_ERRORS,
    oids.IF_IN_DISCARDS,
    oids.IF_OUT_DISCARDS,
    oids.IF_COUNTER_DISCONTINUITY,
    oids.IF_LAST_CHANGE,
    oids.IF_SPEED,
    oids.IF_HIGH_SPEED,
    oids.DOT3_DUPLEX_STATUS,
)
WIDE = (oids.IF_HC_IN_OCTETS, oids.IF_HC_OUT_OCTETS)
NARROW = (oids.IF_IN_OCTETS, oids.IF_OUT_OCTETS)
NARROW_BITS = 32
IF_SPEED_FULL = 2**32 - 1
# RFC 2863: ifHighSpeed rounds, so ifSpeed is the better figure as long as the speed fits it.
MAX_SPEED_BITS_PER_SECOND = 10**13
MEMORY_SECONDS = 600.0
DUPLEX = {2: "half", 3: "full"}
UP = 1

Cells = dict[str, dict[Oid, Value]]


@dataclass(slots=True)
class Memory:
    """What one device called its ports when they were last walked whole."""

    told: Walk | None = None
    shape: tuple[int | None, int | None] = (None, None)
    uptime_seconds: float | None = None
    read_at: float = 0.0

    def recall(self, answer: SystemAnswer, now: float) -> Walk | None:
        """Return the remembered walk, None when the table may have changed or it is too old.

        A restart, another number of rows, another ifTableLastChange or ten minutes end it.
        """
        uptime = answer.device.sys_uptime_seconds
        if self.told is None or now - self.read_at >= MEMORY_SECONDS:
            return None
        if uptime is None or self.uptime_seconds is None or uptime < self.uptime_seconds:
            return None
        same = self.shape == (answer.interface_count, answer.table_changed_ticks)
        return self.told if same else None

    def keep(self, told: Walk, answer: SystemAnswer, now: float) -> None:
        """Remember a walk that came to its end."""
        if told.problem is None:
            self.told = told
            self.shape = (answer.interface_count, answer.table_changed_ticks)
            self.uptime_seconds = answer.device.sys_uptime_seconds
            self.read_at = now


async def read(
    reader: SnmpReader, answer: SystemAnswer, deadline: Deadline, memory: Memory | None = None
) -> Interfaces:
    """Return all interfaces of one device with their raw counters.

    When a walk ends early the outcome is "partial" and only rows that are whole are in it. Raises
    PollError when there is nothing to tell at all.
    """
    memory = memory or Memory()
    device, count = answer.device.device, answer.interface_count
    recalled = memory.recall(answer, time.monotonic())
    told = recalled or await _tell(reader, answer, deadline, memory)
    walks = [told]
    problems: list[PollError] = []
    before, after = _Uptime(), _Uptime()
    try:
        before = await _uptime(reader, deadline)
        counted = await reader.walk(COUNTED, deadline, count)
        walks.append(counted)
        if _needs_narrow(told.cells, counted.cells):
            walks.append(await reader.walk(NARROW, deadline, count))
        if recalled is not None and _has_strangers(recalled.cells, counted.cells):
            walks[0] = await _tell(reader, answer, deadline, memory)
        after = await _uptime(reader, deadline)
    except PollError as err:
        problems.append(err)
    problems = [walk.problem for walk in walks if walk.problem] + problems
    detail = "; ".join(dict.fromkeys(problem.detail for problem in problems)) or None
    moments = (answer.device.sys_uptime_seconds, before.seconds, after.seconds)
    known = [moment for moment in moments if moment is not None]
    if known != sorted(known):  # its ports may be numbered otherwise since
        detail = "the device restarted during the poll"
        return Interfaces(device, "partial", after.seconds, (), detail)
    if len(walks) == 1:
        raise problems[-1]
    now = time.monotonic()
    return Interfaces(
        device=device,
        outcome="partial" if problems else "ok",
        sys_uptime_seconds=(before if after.seconds is None else after).at(now),
        rows=_merge(walks, now),
        detail=detail,
    )


async def _tell(
    reader: SnmpReader, answer: SystemAnswer, deadline: Deadline, memory: Memory
) -> Walk:
    told = await reader.walk(DESCRIPTIVE, deadline, answer.interface_count)
    memory.keep(told, answer, time.monotonic())
    return told


def _has_strangers(told: Cells, counted: Cells) -> bool:
    """Say whether a port counts that the remembered walk did not know."""
    known = {suffix for column in told.values() for suffix in column}
    return any(suffix not in known for suffix in counted[oids.IF_OPER_STATUS])


@dataclass(frozen=True, slots=True)
class _Uptime:
    """What sysUpTime was at a moment on ``time.monotonic``; None when it was not told."""

    seconds: float | None = None
    read_at: float = 0.0

    def at(self, now: float) -> float | None:
        """Return what it is now."""
        if self.seconds is None:
            return None
        return round(self.seconds + (ago_seconds(self.read_at, now) or 0.0), 2)


async def _uptime(reader: SnmpReader, deadline: Deadline) -> _Uptime:
    got = await reader.get((oids.SYS_UPTIME,), deadline)
    return _Uptime(values.read_ticks_seconds(got.get(oids.SYS_UPTIME)), time.monotonic())


def _needs_narrow(told: Cells, counted: Cells) -> bool:
    """Say whether 32-bit counters are needed: a port without 64-bit ones, or one that is up at zero.

    Some agents offer 64-bit counters that never move.
    """
    wide_in, wide_out = counted[oids.IF_HC_IN_OCTETS], counted[oids.IF_HC_OUT_OCTETS]
    for suffix in _suffixes((told, counted)):
        if suffix not in wide_in or suffix not in wide_out:
            return True
        is_up = counted[oids.IF_OPER_STATUS].get(suffix) == UP
        if is_up and wide_in[suffix] == 0 and wide_out[suffix] == 0:
            return True
    return False


def _suffixes(tables: Sequence[Cells]) -> list[Oid]:
    """Return every ifIndex seen in any column, as one-number suffixes, in order."""
    found = {suffix for cells in tables for column in cells.values() for suffix in column}
    return sorted(suffix for suffix in found if len(suffix) == 1)


def _merge(walks: Sequence[Walk], now: float) -> tuple[InterfaceReading, ...]:
    """Return one row per ifIndex that every walk read whole; ``now`` is the end of the poll.

    A row that only an extension table knows is not an interface: the device must have it in ifTable
    or ifXTable (a name, a type, a state or a counter).
    """
    cells: Cells = {}
    for walk in walks:
        cells.update(walk.cells)
    rows = []
    for suffix in _suffixes([cells]):
        if all(walk.is_row_whole(suffix) for walk in walks):
            row = {column: cells[column][suffix] for column in cells if suffix in cells[column]}
            if set(row) != {oids.DOT3_DUPLEX_STATUS}:
                rows.append(make_row(suffix[0], row, ago=_ago(walks[1:], suffix, row, now)))
    return tuple(rows)


def _ago(
    counting: Sequence[Walk], suffix: Oid, row: Mapping[str, Value], now: float
) -> float | None:
    """Return how long ago a row's octets were read, seconds; None: just now, or not known."""
    pair = NARROW if choose_counters(row)[0] == NARROW_BITS else WIDE
    found = (walk.read_at(column, suffix) for column in pair for walk in counting)
    moments = [moment for moment in found if moment is not None]
    return ago_seconds(sum(moments) / len(moments), now) if moments else None


def make_row(index: int, row: Mapping[str, Value], ago: float | None = None) -> InterfaceReading:
    """Return one interface from its raw values by column; what the device lacks is None.

    ``ago`` is how long before the end of the poll its octets were read, seconds.
    """
    bits, in_octets, out_octets = choose_counters(row)
    duplex = values.read_number(row.get(oids.DOT3_DUPLEX_STATUS))
    return InterfaceReading(
        index=index,
        name=values.read_text(row.get(oids.IF_NAME)),
        description=values.read_text(row.get(oids.IF_DESCR)),
        alias=values.read_text(row.get(oids.IF_ALIAS)),
        type=values.read_number(row.get(oids.IF_TYPE)),
        mac=values.read_mac(row.get(oids.IF_PHYS_ADDRESS)),
        admin_up=_is_up(row.get(oids.IF_ADMIN_STATUS), unknown=()),
        oper_up=_is_up(row.get(oids.IF_OPER_STATUS), unknown=(4,)),
        speed_bits_per_second=read_speed(row),
        duplex=DUPLEX.get(duplex) if duplex is not None else None,
        counter_bits=bits,
        in_octets=in_octets,
        out_octets=out_octets,
        in_errors=values.read_counter(row.get(oids.IF_IN_ERRORS)),
        out_errors=values.read_counter(row.get(oids.IF_OUT_ERRORS)),
        in_discards=values.read_counter(row.get(oids.IF_IN_DISCARDS)),
        out_discards=values.read_counter(row.get(oids.IF_OUT_DISCARDS)),
        discontinuity_seconds=values.read_ticks_seconds(row.get(oids.IF_COUNTER_DISCONTINUITY)),
        last_change_seconds=values.read_ticks_seconds(row.get(oids.IF_LAST_CHANGE)),
        octets_ago_seconds=ago,
    )


def choose_counters(row: Mapping[str, Value]) -> tuple[int | None, int | None, int | None]:
    """Return (bits, in, out): the 64-bit pair, else the 32-bit pair, else what single one there is.

    The two counters of a row never mix widths, and a 64-bit pair at zero gives way to a 32-bit pair
    that has counted.
    """
    wide = _pair(row, oids.IF_HC_IN_OCTETS, oids.IF_HC_OUT_OCTETS)
    narrow = _pair(row, oids.IF_IN_OCTETS, oids.IF_OUT_OCTETS)
    is_stuck = wide == (0, 0) and any(narrow)
    if None not in wide and not is_stuck:
        return 64, *wide
    if None not in narrow:
        return 32, *narrow
    if any(counter is not None for counter in wide):
        return 64, *wide
    if any(counter is not None for counter in narrow):
        return 32, *narrow
    return None, None, None


def _pair(row: Mapping[str, Value], one: str, other: str) -> tuple[int | None, int | None]:
    return values.read_counter(row.get(one)), values.read_counter(row.get(other))


def _is_up(value: Value | None, unknown: tuple[int, ...]) -> bool | None:
    number = values.read_number(value)
    if number is None or number in unknown:
        return None
    return number == UP


def read_speed(row: Mapping[str, Value]) -> int | None:
    """Return the nominal speed in bits per second, None when the device names none (0 means that).

    ifSpeed where it fits into 32 bits, ifHighSpeed beyond (some devices let ifSpeed wrap there). The
    highest ifSpeed says "more than I can say", so without ifHighSpeed it is None. An ifHighSpeed in bits
    or kilobits says what ifSpeed says.
    """
    plain = values.read_counter(row.get(oids.IF_SPEED)) or 0
    told = values.read_counter(row.get(oids.IF_HIGH_SPEED)) or 0
    is_other_unit = 1_000_000 <= plain < IF_SPEED_FULL and plain in (told, told * 1000)
    high = 0 if is_other_unit else told * 1_000_000
    if high > MAX_SPEED_BITS_PER_SECOND:
        high = 0
    if high > IF_SPEED_FULL or (high and plain in (0, IF_SPEED_FULL)):
        return high
    return plain if 0 < plain < IF_SPEED_FULL else None
