"""The figures of a running machine that the agent reads every minute, whatever it reads them from."""

from dataclasses import dataclass

from kiemke.agent.sensors.errors import SensorError


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds all processors together were busy, and in all."""

    busy_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class LinkState:
    """What one adapter's link negotiated; speed and duplex None when unknown."""

    is_up: bool
    speed_mbits: int | None
    duplex: str | None


@dataclass(frozen=True, slots=True)
class Login:
    """One login: account, terminal and remote host (None when unknown), seconds since 1970."""

    user: str
    terminal: str | None
    remote: str | None
    started_seconds: float


@dataclass(frozen=True, slots=True)
class Octets:
    """What one adapter has received and sent since it came up."""

    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class DiskBytes:
    """What all local disks have read and written since they came up."""

    read: int
    written: int


class VitalsError(SensorError):
    """The system does not say; the message is the reason."""
