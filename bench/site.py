"""The life of a simulated site: a collector that polls its routers and probes its lines.

Lines are probed in every slot of the month, so that their availability is known to the slot; counters
are read for the last days only, where a percentile needs them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.district import Gear, Line
from bench.lines import (
    DAY_SLOTS,
    REBOOT_DAYS_AGO,
    REBOOT_SLOT,
    SLOT_SECONDS,
    Counters,
    Grid,
    LineLife,
)
from bench.source import Source
from kiemke.wire.report import Device, InterfaceReading, Interfaces, Reachability

COUNTER_DAYS = 8
PROBE_DAYS = 30
DEVICE_STEP_SLOTS = DAY_SLOTS
ECHOES = 5
ETHERNET = 6  # IANAifType ethernetCsmacd
SYS_OBJECT_ID = {"firewall": "1.3.6.1.4.1.12356.101.1.641", "router": "1.3.6.1.4.1.14988.1"}


def moment_of(slot: int) -> datetime:
    """Return the UTC moment a slot begins."""
    return datetime.fromtimestamp(slot * SLOT_SECONDS, UTC)


@dataclass(slots=True)
class PolledGear:
    """One device under its id in the assignment, with the lives of the lines on its ports."""

    id: int
    gear: Gear
    lives: tuple[LineLife, ...]
    counters: tuple[Counters, ...]
    up_since: datetime

    def reports(self, source: Source, at: datetime, *, with_device: bool) -> Iterator[bytes]:
        """Yield what one poll at a moment brings; polls go forward in time."""
        if self.gear.behaviour == "silent":
            if with_device:
                body = Device(self.id, "timeout", "no answer from the device in 6.0 s")
                yield source.encode(at, "device", body)
            return
        if self.gear.behaviour == "reboots" and self.lives:
            reboot = moment_of(reboot_slot(self.lives[0].grid))
            if self.up_since < reboot <= at:
                self.up_since = reboot
                for counters in self.counters:
                    counters.read(reboot.timestamp())
                    counters.restart()
        uptime_seconds = (at - self.up_since).total_seconds() + 35.0
        if with_device:
            yield source.encode(at, "device", self._device(uptime_seconds))
        if self.lives:
            rows = tuple(self._row(number, at) for number in range(len(self.lives)))
            body_ = Interfaces(self.id, "ok", uptime_seconds, rows)
            yield source.encode(at, "interfaces", body_)

    def _device(self, uptime_seconds: float) -> Device:
        return Device(
            device=self.id,
            outcome="ok",
            sys_descr=f"{self.gear.name} (dữ liệu mẫu)",
            sys_object_id=SYS_OBJECT_ID.get(self.gear.kind),
            sys_name=self.gear.code,
            sys_location="Tủ mạng",
            sys_uptime_seconds=uptime_seconds,
        )

    def _row(self, number: int, at: datetime) -> InterfaceReading:
        life, counters = self.lives[number], self.counters[number]
        received, sent = counters.read(at.timestamp())
        narrow = self.gear.behaviour == "narrow"
        return InterfaceReading(
            index=number + 1,
            name=life.line.interface,
            description=life.line.interface,
            alias=life.line.code,
            type=ETHERNET,
            mac=f"02:4b:52:00:00:{number:02x}",
            admin_up=True,
            oper_up=life.is_up(slot_of(at)),
            # A port of 1 Gbit/s could wrap 32 bits many times in a poll: this old one cannot.
            speed_bits_per_second=100_000_000 if narrow else life.speed_bits_per_second(),
            duplex=life.duplex(),
            counter_bits=counters.bits,
            in_octets=received,
            out_octets=sent,
            in_errors=0,
            out_errors=0,
            in_discards=0,
            out_discards=0,
            discontinuity_seconds=0.0,
        )


def slot_of(at: datetime) -> int:
    """Return the slot a moment lies in."""
    return int(at.timestamp()) // SLOT_SECONDS


def reboot_slot(grid: Grid) -> int:
    """Return the slot at whose beginning the planted reboot is noticed."""
    return grid.today - REBOOT_DAYS_AGO * DAY_SLOTS + REBOOT_SLOT


@dataclass(frozen=True, slots=True)
class ProbedLine:
    """One probe target under its id in the assignment."""

    id: int
    life: LineLife

    def report(self, source: Source, at: datetime) -> bytes:
        """Return one round of echoes at a moment."""
        slot = slot_of(at)
        if not self.life.is_up(slot):
            return source.encode(at, "reachability", Reachability(self.id, ECHOES, 0))
        mean = self.life.round_trip_seconds(slot)
        body = Reachability(
            target=self.id,
            sent=ECHOES,
            received=ECHOES,
            rtt_min_seconds=mean * 0.8,
            rtt_avg_seconds=mean,
            rtt_max_seconds=mean * 1.4,
            jitter_seconds=mean * 0.1,
        )
        return source.encode(at, "reachability", body)


@dataclass(slots=True)
class Site:
    """A collector and what it was assigned."""

    source: Source
    gear: list[PolledGear]
    probes: list[ProbedLine]

    def past_reports(self, grid: Grid, until_slot: int) -> Iterator[bytes]:
        """Yield the month up to the beginning of ``until_slot``, oldest first."""
        first_counter = grid.today - COUNTER_DAYS * DAY_SLOTS
        for slot in range(grid.today - PROBE_DAYS * DAY_SLOTS, until_slot + 1):
            if slot >= first_counter:
                with_device = (slot - first_counter) % DEVICE_STEP_SLOTS == 0
                for polled in self.gear:
                    yield from polled.reports(self.source, moment_of(slot), with_device=with_device)
            for probe in self.probes:
                if slot < until_slot:
                    yield probe.report(self.source, moment_of(slot) + timedelta(seconds=60))

    def live_reports(self, now: datetime) -> Iterator[bytes]:
        """Yield a poll of everything and a round of echoes, now."""
        for polled in self.gear:
            yield from polled.reports(self.source, now, with_device=True)
        for probe in self.probes:
            yield probe.report(self.source, now)


def make_site(
    source: Source,
    assignment: dict[str, list[dict[str, object]]],
    gear: dict[str, Gear],
    lines: list[Line],
    grid: Grid,
) -> Site:
    """Return the site a collector plays, by the addresses it was assigned.

    ``gear`` is by address. Raises KeyError for an address that is not of the district: a simulated
    collector was assigned something real.
    """
    first_slot = grid.today - COUNTER_DAYS * DAY_SLOTS
    up_since = moment_of(first_slot - 90 * DAY_SLOTS)
    polled: list[PolledGear] = []
    for row in assignment["devices"]:
        found = gear[str(row["address"])]
        lives = tuple(LineLife(line, grid) for line in lines if line.device == found.code)
        counters = tuple(Counters(life, found, first_slot) for life in lives)
        polled.append(PolledGear(int(str(row["device"])), found, lives, counters, up_since))
    by_probe = {
        probe.partition(":")[2]: LineLife(line, grid) for line in lines for probe in line.probes
    }
    probes = [
        ProbedLine(int(str(row["target"])), by_probe[str(row["address"])])
        for row in assignment["probes"]
    ]
    return Site(source, polled, probes)
