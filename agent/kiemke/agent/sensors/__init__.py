"""The sensors: one file each, and their list. A new sensor is one file and one line here.

A sensor's module has ``NAME``, ``SECTIONS`` and ``read(host)``. The list names modules and does not
load them: they run in a child process, and the agent itself stays small.
"""

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from kiemke.agent.host import Host
from kiemke.wire.inventory import Row


class SensorModule(Protocol):
    """What a sensor's module offers."""

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


@dataclass(frozen=True, slots=True)
class Sensor:
    """One line of the list: where the sensor is and which sections it answers for."""

    module: str
    SECTIONS: tuple[str, ...]

    def load(self) -> SensorModule:
        """Return the sensor's module."""
        return cast(SensorModule, importlib.import_module(f"{__name__}.{self.module}"))


# The order is the order of reading.
SENSORS: tuple[Sensor, ...] = (
    Sensor("identity", ("identity",)),
    Sensor("smbios", ("system", "bios", "board", "chassis", "processors", "memory")),
    Sensor("monitors", ("monitors",)),
    Sensor("operating_system", ("os",)),
    Sensor("disks", ("disks",)),
    Sensor("volumes", ("volumes",)),
    Sensor("adapters", ("adapters",)),
    Sensor("software", ("software",)),
    Sensor("uptime", ("uptime",)),
    Sensor("sessions", ("sessions",)),
)
