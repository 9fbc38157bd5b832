"""How a simulated line lives: octets of every five minutes, echoes, faults, and what is true of it.

Time is counted in slots of 300 s on the local grid; slot numbers are whole since 1970. Every value
comes from the line's code and the slot alone, so that any stretch may be made again in any order.
"""

import hashlib
import math
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.district import Gear, Line

SLOT_SECONDS = 300
DAY_SLOTS = 288
MBIT = 1_000_000
WRAP_32 = 2**32
WRAP_64 = 2**64
# Where the planted faults lie, counted back from the first slot of today.
OUTAGE_DAYS_AGO, OUTAGE_FIRST_SLOT, OUTAGE_SLOTS = 11, 9 * 12, 48  # 09:00 to 13:00
REBOOT_DAYS_AGO, REBOOT_SLOT = 3, 7 * 12
SATURATED_RATIO = 0.6
BUSY_RATIO = 0.93


def unit_noise(key: str, slot: int, salt: str = "") -> float:
    """Return a number from 0 up to 1 that depends on its arguments alone."""
    digest = hashlib.blake2b(f"{key}/{slot}/{salt}".encode(), digest_size=8).digest()
    number: int = struct.unpack("<Q", digest)[0]
    return number / 2**64


@dataclass(frozen=True, slots=True)
class Grid:
    """The local calendar in slots: ``today`` is the first slot of the running local day."""

    utc_offset_seconds: int
    today: int

    @classmethod
    def at(cls, now: datetime, utc_offset_seconds: int) -> "Grid":
        """Return the grid at an aware moment."""
        local = int(now.timestamp()) + utc_offset_seconds
        today = local // 86_400 * DAY_SLOTS - utc_offset_seconds // SLOT_SECONDS
        return cls(utc_offset_seconds, today)

    def local_slot(self, slot: int) -> int:
        """Return the slot's place in its local day, 0 to 287."""
        return (slot - self.today) % DAY_SLOTS

    def is_weekend(self, slot: int) -> bool:
        """Whether the slot's local day is a Saturday or Sunday."""
        local = slot * SLOT_SECONDS + self.utc_offset_seconds
        return datetime.fromtimestamp(local, UTC).weekday() >= 5


@dataclass(frozen=True, slots=True)
class LineLife:
    """One line over time."""

    line: Line
    grid: Grid

    def ratios(self, slot: int) -> tuple[float, float]:
        """Return the share of the contracted rate used in the slot, (down, up)."""
        if not self.is_up(slot):
            return 0.0, 0.0
        down = self._usual(slot, "down") * 0.8
        up = self._usual(slot, "up") * 0.45
        hour = self.grid.local_slot(slot) / 12
        if self.line.fault == "slow" and 8 <= hour < 9.5:
            # Everyone asks for more than the line gives; it meets its ceiling, exactly there.
            return SATURATED_RATIO * (1 - 0.004 * unit_noise(self.line.code, slot, "cap")), up
        if self.line.fault == "busy_upload" and 13 <= hour < 16:
            return down, BUSY_RATIO + 0.004 * (unit_noise(self.line.code, slot, "up93") - 0.5)
        if self.line.fault == "negotiated":
            return min(down, 0.6), up
        return down, up

    def _usual(self, slot: int, way: str) -> float:
        """Return 0 to 1: nights near nothing, office hours busy, never twice the same height."""
        hour = self.grid.local_slot(slot) / 12
        shape = 0.04
        if not self.grid.is_weekend(slot) and 7 <= hour < 17.5:
            shape = 0.25 + 0.45 * math.exp(-(((hour - 9.5) / 1.6) ** 2))
            shape += 0.35 * math.exp(-(((hour - 14.5) / 1.5) ** 2))
        # The square makes high slots rare: a peak that many slots reach would look like a ceiling.
        return shape * (0.3 + 0.7 * unit_noise(self.line.code, slot, way) ** 2)

    def octets(self, slot: int) -> tuple[int, int]:
        """Return octets carried in the slot, (received, sent), by the contracted rates."""
        down, up = self.ratios(slot)
        per_ratio = MBIT * SLOT_SECONDS // 8
        return (
            int(down * (self.line.down_mbps or 100) * per_ratio),
            int(up * (self.line.up_mbps or 100) * per_ratio),
        )

    def is_up(self, slot: int) -> bool:
        """Whether the line carried anything in this slot."""
        if self.line.fault != "outage":
            return True
        begin = self.grid.today - OUTAGE_DAYS_AGO * DAY_SLOTS + OUTAGE_FIRST_SLOT
        return not begin <= slot < begin + OUTAGE_SLOTS

    def round_trip_seconds(self, slot: int) -> float:
        """Return the echo's mean round trip in the slot."""
        return 0.006 + 0.008 * unit_noise(self.line.code, slot, "rtt")

    def speed_bits_per_second(self) -> int:
        """Return what the port negotiated."""
        return 100 * MBIT if self.line.fault == "negotiated" else 1000 * MBIT

    def duplex(self) -> str:
        """Return "half" on the port that negotiated badly."""
        return "half" if self.line.fault == "negotiated" else "full"

    def true_p95(self, first_slot: int, last_slot: int) -> tuple[float, float]:
        """Return the 95th percentile (nearest rank) of (down, up) over slots first..last."""
        pairs = [self.ratios(slot) for slot in range(first_slot, last_slot + 1)]
        rank = max(0, math.ceil(0.95 * len(pairs)) - 1)
        return sorted(p[0] for p in pairs)[rank], sorted(p[1] for p in pairs)[rank]


class Counters:
    """The octet counters of one port, advanced slot by slot; 32 bits wide on a narrow device."""

    def __init__(self, life: LineLife, gear: Gear, first_slot: int) -> None:
        start = int(unit_noise(life.line.code, 0, "start") * 2**31)
        self._life = life
        self._narrow = gear.behaviour == "narrow"
        self._slot = first_slot
        self.received = self.sent = start

    @property
    def bits(self) -> int:
        """Return 32 or 64."""
        return 32 if self._narrow else 64

    def read(self, at_seconds: float) -> tuple[int, int]:
        """Return the counters as they stand at a moment (seconds since 1970), never going back."""
        slot, inside = divmod(at_seconds, SLOT_SECONDS)
        while self._slot < slot:
            received, sent = self._life.octets(self._slot)
            self.received += received
            self.sent += sent
            self._slot += 1
        received, sent = self.received, self.sent
        if inside:
            running = self._life.octets(self._slot)
            received += int(running[0] * inside / SLOT_SECONDS)
            sent += int(running[1] * inside / SLOT_SECONDS)
        width = WRAP_32 if self._narrow else WRAP_64
        return received % width, sent % width

    def restart(self) -> None:
        """Begin at nothing, as after a reboot."""
        self.received = self.sent = 0
