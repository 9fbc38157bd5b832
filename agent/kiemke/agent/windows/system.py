"""Which Windows runs: its CurrentVersion key. The product key is never read."""

import platform
import socket

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import moment
from kiemke.wire.inventory import OperatingSystem

CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
COMPUTER = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName"
ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
WINDOWS_11_BUILD = 22000  # its ProductName still says "Windows 10"
MACHINES = {"AMD64": "x86_64", "ARM64": "arm64", "X86": "x86"}


def read(windows: Windows, *, is_live: bool) -> OperatingSystem:
    """Return the running system; ``version`` is the release ("22H2"), ``build`` build.UBR."""
    registry = windows.registry
    name = registry.text(CURRENT, "ProductName")
    number = registry.number(CURRENT, "CurrentBuild") or registry.number(
        CURRENT, "CurrentBuildNumber"
    )
    revision = registry.number(CURRENT, "UBR")
    build = None if number is None else str(number) if revision is None else f"{number}.{revision}"
    if name is not None and number is not None and number >= WINDOWS_11_BUILD:
        name = name.replace("Windows 10", "Windows 11", 1)
    machine = registry.text(ENVIRONMENT, "PROCESSOR_ARCHITECTURE")
    if machine is None and is_live:
        machine = platform.machine()
    hostname = registry.text(COMPUTER, "ComputerName") or registry.text(TCPIP, "Hostname")
    if hostname is None and is_live:
        hostname = socket.gethostname() or None
    return OperatingSystem(
        family="windows",
        name=name,
        version=registry.text(CURRENT, "DisplayVersion")
        or registry.text(CURRENT, "ReleaseId")
        or registry.text(CURRENT, "CSDVersion"),
        build=build,
        architecture=None if machine is None else MACHINES.get(machine.upper(), machine),
        hostname=hostname,
        domain=registry.text(TCPIP, "Domain") or registry.text(TCPIP, "NV Domain"),
        installed_on=_installed_on(windows),
        edition=registry.text(CURRENT, "EditionID"),
    )


def _installed_on(windows: Windows) -> str | None:
    """Return the day as YYYY-MM-DD: InstallDate in seconds since 1970, else InstallTime."""
    seconds = windows.registry.number(CURRENT, "InstallDate")
    if seconds:
        at = moment(seconds * 10_000_000 + 116_444_736_000_000_000)  # 1601 to 1970
    else:
        at = moment(windows.registry.number(CURRENT, "InstallTime") or 0)
    return None if at is None else at.date().isoformat()
