"""The services and programs of Windows by which products are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.software import programs
from kiemke.wire.inventory import Software

SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
DRIVER_TYPES = 0x0F  # SERVICE_DRIVER, winnt.h: kernel and file-system drivers
AUTOMATIC, DISABLED = 2, 4


@dataclass(frozen=True, slots=True)
class Installed:
    """What there is on this machine: services with their start type, and programs."""

    services: dict[str, int]
    programs: tuple[Software, ...]

    def service(self, globs: Iterable[str]) -> int | None:
        """Return the start type of the first service that fits, None without one."""
        wanted = tuple(globs)
        for name in sorted(self.services):
            if any(fnmatchcase(name.casefold(), glob) for glob in wanted):
                return self.services[name]
        return None

    def program(self, globs: Iterable[str]) -> Software | None:
        """Return the first program that fits, None without one."""
        wanted = tuple(globs)
        for one in self.programs:
            if any(fnmatchcase(one.name.casefold(), glob) for glob in wanted):
                return one
        return None


def installed(windows: Windows) -> Installed:
    """Return the services (no drivers) and programs of the machine."""
    registry = windows.registry
    services = {}
    for name in registry.names(SERVICES):
        kind = registry.number(f"{SERVICES}\\{name}", "Type")
        start = registry.number(f"{SERVICES}\\{name}", "Start")
        if kind is not None and start is not None and not kind & DRIVER_TYPES:
            services[name] = start
    return Installed(services, tuple(programs(windows)))
