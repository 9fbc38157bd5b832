"""The sensors: one file each, and their list. A new sensor is one file and one line here.

A sensor's module has ``NAME``, ``SECTIONS``, where it reads (``SOURCE``), which account may (``RIGHTS``),
and ``read(host)``; docs/sensors.md has the same words. The list names modules and does not
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

    @property
    def SOURCE(self) -> str:
        """Return where it reads, on Linux and on Windows."""

    @property
    def RIGHTS(self) -> str:
        """Return which account may read it."""

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
    Sensor("last_user", ("last_user",)),
    Sensor("printers", ("printers",)),
    Sensor("scanners", ("scanners",)),
    Sensor("usb", ("usb",)),
    Sensor("smart_cards", ("smart_cards",)),
    Sensor("cameras", ("cameras",)),
    Sensor("batteries", ("batteries",)),
    Sensor("hotfixes", ("hotfixes",)),
    Sensor("antivirus", ("antivirus",)),
    Sensor("firewall", ("firewall",)),
    Sensor("remote_tools", ("remote_tools",)),
    Sensor("security", ("security",)),
    Sensor("time_source", ("time",)),
    Sensor("claimed_holder", ("claimed_holder",)),
)
