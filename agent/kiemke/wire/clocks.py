"""The clocks a sender stamps its reports with: wall time, uptime with suspend, awake time, boot."""

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")  # random(4)
# Windows names no boot: its moment is taken to this many seconds, so that a corrected wall clock
# does not look like a new boot.
WINDOWS_BOOT_ROUNDING_SECONDS = 120


class Clock(Protocol):
    """What the sender needs to know of time; tests bring their own."""

    @property
    def boot_id(self) -> str:
        """Return what tells this boot from every other one."""

    def now(self) -> datetime:
        """Return the wall clock, aware, UTC."""

    def uptime_seconds(self) -> float:
        """Return the time since boot, suspend included."""

    def awake_seconds(self) -> float:
        """Return the time since boot without suspend."""


def now_utc() -> datetime:
    """Return the wall clock, aware, UTC."""
    return datetime.now(UTC)


def hundredths(moment: datetime) -> datetime:
    """Return a moment cut to 10 ms: what is finer says nothing of a PC, and does not compress."""
    return moment.replace(microsecond=moment.microsecond // 10_000 * 10_000)


def uptime_seconds() -> float:
    """Return seconds since boot, suspend included.

    Source: CLOCK_BOOTTIME on Linux, GetTickCount64 on Windows; elsewhere the monotonic clock.
    """
    if sys.platform == "win32":
        import ctypes  # a megabyte that only Windows needs

        kernel32 = ctypes.windll.kernel32
        kernel32.GetTickCount64.restype = ctypes.c_uint64
        return float(kernel32.GetTickCount64()) / 1000.0
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def awake_seconds() -> float:
    """Return seconds since boot without suspend.

    Source: CLOCK_MONOTONIC on Linux, QueryUnbiasedInterruptTime (100 ns units) on Windows.
    """
    if sys.platform == "win32":
        import ctypes  # a megabyte that only Windows needs

        ticks = ctypes.c_uint64()
        ctypes.windll.kernel32.QueryUnbiasedInterruptTime(ctypes.byref(ticks))
        return ticks.value / 1e7
    return time.monotonic()


def read_boot_id() -> str:
    """Return an identifier of this boot; the kernel's own where it has one.

    Elsewhere it is the rounded moment of boot: stable while this process lives because a
    SystemClock reads it once.
    """
    try:
        return BOOT_ID_FILE.read_text().strip()
    except OSError:
        booted = time.time() - uptime_seconds()
        return f"boot-{round(booted / WINDOWS_BOOT_ROUNDING_SECONDS)}"


@dataclass(frozen=True, slots=True)
class SystemClock:
    """This machine's clocks. ``boot_id`` is read once, when the sender starts."""

    boot_id: str

    @classmethod
    def read(cls) -> "SystemClock":
        """Return the clock of the running boot."""
        return cls(read_boot_id())

    def now(self) -> datetime:
        """Return the wall clock, aware, UTC."""
        return now_utc()

    def uptime_seconds(self) -> float:
        """Return seconds since boot, suspend included."""
        return uptime_seconds()

    def awake_seconds(self) -> float:
        """Return seconds since boot without suspend."""
        return awake_seconds()
