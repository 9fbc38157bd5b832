"""The sensors: one file each, and their list. A new sensor is one file and one line here."""

from typing import Protocol

from kiemke.agent.host import Host
from kiemke.agent.sensors import (
    adapters,
    disks,
    identity,
    monitors,
    operating_system,
    sessions,
    smbios,
    software,
    uptime,
    volumes,
)
from kiemke.wire.inventory import Row


class Sensor(Protocol):
    """What a sensor module offers."""

    @property
    def NAME(self) -> str:
        """Return the sensor's name, one word."""

    @property
    def SECTIONS(self) -> tuple[str, ...]:
        """Return the inventory sections it answers for."""

    def read(self, host: Host) -> dict[str, tuple[Row, ...]]:
        """Return rows by section; a section left out is absent on this machine.

        Raises SensorError or OSError when it cannot tell; every section of it then says why.
        """


# The order is the order of reading.
SENSORS: tuple[Sensor, ...] = (
    identity,
    smbios,
    monitors,
    operating_system,
    disks,
    volumes,
    adapters,
    software,
    uptime,
    sessions,
)
