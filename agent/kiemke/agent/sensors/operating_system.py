"""The running system. Source: /etc/os-release (os-release(5)), uname; Windows' CurrentVersion key."""

import platform
import socket
import sys
from datetime import UTC, datetime

from kiemke.agent.host import Host
from kiemke.wire.inventory import OperatingSystem, Row

NAME = "os"
SECTIONS = ("os",)
RELEASE_FILES = ("etc/os-release", "usr/lib/os-release")
# Folders an installer leaves behind and nothing touches afterwards.
INSTALLER_MARKS = ("var/log/installer", "root/anaconda-ks.cfg", "var/log/anaconda")
WINDOWS_KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one OperatingSystem. The domain is not asked of DNS: that may hang for minutes."""
    if sys.platform == "win32" and host.is_live:
        return {"os": (_windows(),)}
    return {"os": (_linux(host),)}


def _linux(host: Host) -> OperatingSystem:
    """Return what the files of a Linux say; name and domain come from the hostname."""
    said = _release(host)
    if host.is_live:
        hostname: str | None = socket.gethostname()
        kernel: str | None = platform.release()
        machine: str | None = platform.machine()
    else:
        hostname = host.text("etc/hostname")
        kernel = host.text("proc/sys/kernel/osrelease")
        machine = None
    short, _, domain = (hostname or "").partition(".")
    return OperatingSystem(
        family="linux",
        name=said.get("PRETTY_NAME") or said.get("NAME"),
        version=said.get("VERSION_ID"),
        build=kernel or None,
        architecture=machine or None,
        hostname=short or None,
        domain=domain or _search_domain(host),
        installed_on=_installed_on(host),
    )


def _release(host: Host) -> dict[str, str]:
    """Return the fields of os-release, quotes taken off; empty where there is none."""
    for name in RELEASE_FILES:
        text = host.text(name)
        if text is not None:
            pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
            return {key: value.strip().strip("\"'") for key, _, value in pairs}
    return {}


def _search_domain(host: Host) -> str | None:
    """Return the first domain of resolv.conf(5), None when it has none."""
    for line in (host.text("etc/resolv.conf") or "").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] in ("domain", "search") and words[1] != ".":
            return words[1]
    return None


def _installed_on(host: Host) -> str | None:
    """Return the day of installation as YYYY-MM-DD, None when no installer left a mark."""
    for mark in INSTALLER_MARKS:
        try:
            stamp = host.path(mark).stat().st_mtime
        except OSError:
            continue
        return datetime.fromtimestamp(stamp, UTC).date().isoformat()
    return None


def _windows() -> OperatingSystem:
    """Return what Windows' registry says of itself; a key that is not there is None."""
    values: dict[str, object] = {}
    if sys.platform == "win32":
        # Only Windows has a registry.
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, WINDOWS_KEY) as key:
            for name in ("ProductName", "DisplayVersion", "CurrentBuild", "UBR", "InstallDate"):
                try:
                    values[name] = winreg.QueryValueEx(key, name)[0]
                except FileNotFoundError:
                    continue

    def said(name: str) -> str | None:
        return str(values[name]) if values.get(name) not in (None, "") else None

    installed = values.get("InstallDate")
    build = ".".join(part for part in (said("CurrentBuild"), said("UBR")) if part)
    return OperatingSystem(
        family="windows",
        name=said("ProductName"),
        version=said("DisplayVersion"),
        build=build or None,
        architecture=platform.machine() or None,
        hostname=socket.gethostname() or None,
        installed_on=(
            datetime.fromtimestamp(installed, UTC).date().isoformat()
            if isinstance(installed, int) and installed > 0
            else None
        ),
    )
