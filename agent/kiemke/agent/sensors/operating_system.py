"""The running system. Source: /etc/os-release (os-release(5)), uname; Windows' CurrentVersion key."""

import platform
import re
import socket
import sys
from datetime import UTC, datetime

from kiemke.agent.host import Host
from kiemke.wire.inventory import OperatingSystem, Row

NAME = "operating_system"
SECTIONS = ("os",)
SOURCE = (
    "os-release, uname, installer marks; Windows: the CurrentVersion key (never the product key)"
)
RIGHTS = "any account"
RELEASE_FILES = ("etc/os-release", "usr/lib/os-release")
# Folders an installer leaves behind and nothing touches afterwards.
INSTALLER_MARKS = ("var/log/installer", "root/anaconda-ks.cfg", "var/log/anaconda")


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one OperatingSystem. The domain is not asked of DNS: that may hang for minutes."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import system

        return {"os": (system.read(host.windows, is_live=sys.platform == "win32"),)}
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
        edition=said.get("VARIANT") or None,
    )


def _release(host: Host) -> dict[str, str]:
    """Return the fields of os-release; empty where there is none."""
    for name in RELEASE_FILES:
        text = host.text(name)
        if text is not None:
            return parse_release(text)
    return {}


def parse_release(text: str) -> dict[str, str]:
    """Return the fields of an os-release(5), quotes and their backslashes taken off."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            found[key] = re.sub(r"\\([\\$\"'`])", r"\1", value)
    return found


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
