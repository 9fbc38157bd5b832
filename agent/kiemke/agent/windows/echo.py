"""Pings on Windows, by the system's own call that any account may use (icmpapi.h, iphlpapi.h)."""

import ctypes
import socket
from collections.abc import Mapping

from kiemke.agent.windows.live import INVALID_HANDLE, library
from kiemke.wire.report import Reach

DATA = b"kiemke"
ANSWER_BYTES = 256
STATUS_OFFSET, ROUND_TRIP_OFFSET = 4, 8  # ICMP_ECHO_REPLY
ROUTE_WORDS, NEXT_HOP = 14, 3  # MIB_IPFORWARDROW
ANYWHERE = "192.0.2.1"  # TEST-NET-1, RFC 5737: only the way there is looked up, nothing is sent


def ping(targets: Mapping[str, str], deadline_seconds: float) -> list[Reach]:
    """Return one Reach a target; round trips are whole milliseconds here."""
    helper = library("iphlpapi")
    helper.IcmpCreateFile.restype = ctypes.c_void_p
    helper.IcmpCloseHandle.argtypes = (ctypes.c_void_p,)
    helper.IcmpSendEcho.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint16, ctypes.c_void_p,
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
    )  # fmt: skip
    handle = helper.IcmpCreateFile()
    if handle in (None, INVALID_HANDLE):
        return []
    try:
        return [
            _reach(name, _ask(helper, handle, address, deadline_seconds))
            for name, address in targets.items()
        ]
    finally:
        helper.IcmpCloseHandle(handle)


def _reach(name: str, answered: float | None) -> Reach:
    return Reach(name, 1, 0 if answered is None else 1, answered)


def _ask(helper: object, handle: object, address: str, deadline_seconds: float) -> float | None:
    """Return the seconds to the answer, None when there is none in time."""
    answer = ctypes.create_string_buffer(ANSWER_BYTES)
    target = int.from_bytes(socket.inet_aton(address), "little")
    count = helper.IcmpSendEcho(  # type: ignore[attr-defined]  # a library has what it has
        handle, target, DATA, len(DATA), None, answer, ANSWER_BYTES, round(deadline_seconds * 1000)
    )
    if not count or int.from_bytes(answer.raw[STATUS_OFFSET : STATUS_OFFSET + 4], "little"):
        return None
    return int.from_bytes(answer.raw[ROUND_TRIP_OFFSET : ROUND_TRIP_OFFSET + 4], "little") / 1000


def gateway() -> str | None:
    """Return the address of the default gateway, None without one."""
    row = (ctypes.c_uint32 * ROUTE_WORDS)()
    target = int.from_bytes(socket.inet_aton(ANYWHERE), "little")
    if library("iphlpapi").GetBestRoute(ctypes.c_uint32(target), ctypes.c_uint32(0), row):
        return None
    found = socket.inet_ntoa(int(row[NEXT_HOP]).to_bytes(4, "little"))
    return None if found == "0.0.0.0" else found  # noqa: S104 - no gateway, not an interface
