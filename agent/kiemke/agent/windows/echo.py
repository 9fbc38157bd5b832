"""Pings on Windows, by the system's own call that any account may use (icmpapi.h, iphlpapi.h)."""

import ctypes
import socket
from collections.abc import Mapping

from kiemke.agent.windows.live import library
from kiemke.wire.report import Reach
from kiemke.wire.windows_echo import ping as one_ping

ROUTE_WORDS, NEXT_HOP = 14, 3  # MIB_IPFORWARDROW
ANYWHERE = "192.0.2.1"  # TEST-NET-1, RFC 5737: only the way there is looked up, nothing is sent


def ping(targets: Mapping[str, str], deadline_seconds: float) -> list[Reach]:
    """Return one Reach a target; round trips are whole milliseconds here."""
    try:
        return [_reach(name, one_ping(to, deadline_seconds)) for name, to in targets.items()]
    except OSError:
        return []


def _reach(name: str, answered: float | None) -> Reach:
    return Reach(name, 1, 0 if answered is None else 1, answered)


def gateway() -> str | None:
    """Return the address of the default gateway, None without one."""
    row = (ctypes.c_uint32 * ROUTE_WORDS)()
    target = int.from_bytes(socket.inet_aton(ANYWHERE), "little")
    if library("iphlpapi").GetBestRoute(ctypes.c_uint32(target), ctypes.c_uint32(0), row):
        return None
    found = socket.inet_ntoa(int(row[NEXT_HOP]).to_bytes(4, "little"))
    return None if found == "0.0.0.0" else found  # noqa: S104 - no gateway, not an interface
