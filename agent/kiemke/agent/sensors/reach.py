"""How long the gateway and the server take to answer one ping. Source: ICMP echo, RFC 792.

Nothing else is ever pinged. A system that lets this account send none gives no rows; that says nothing
of the line.
"""

import os
import socket
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from kiemke.wire.report import Reach

DEADLINE_SECONDS = 1.0
ROUTES = Path("/proc/net/route")
GATEWAY_FLAG = 0x2  # RTF_GATEWAY, linux/route.h
ECHO_REQUEST, ECHO_REPLY = 8, 0
HEAD = struct.Struct("!BBHHH")
DATA = b"kiemke"


def measure(server: str | None) -> tuple[Reach, ...] | None:
    """Return what one ping to the gateway and one to the server's address gave, None where none may go.

    An address of IPv6 is left out.
    """
    targets = {"gateway": gateway(), "server": server}
    known = {name: one for name, one in targets.items() if one is not None and ":" not in one}
    return tuple(ping(known)) or None


def ping(targets: Mapping[str, str], deadline_seconds: float = DEADLINE_SECONDS) -> list[Reach]:
    """Return one Reach a target (name to IPv4 address); empty where nothing may be sent."""
    if sys.platform == "win32":
        # Only Windows has the call.
        from kiemke.agent.windows import echo

        return echo.ping(targets, deadline_seconds)
    found = []
    for name, address in targets.items():
        try:
            answered = _ask(address, deadline_seconds)
        except PermissionError:
            return []
        except OSError:
            answered = None  # no route: sent nowhere, lost all the same
        found.append(Reach(name, 1, 0 if answered is None else 1, answered))
    return found


def _ask(address: str, deadline_seconds: float) -> float | None:
    """Return the seconds to the answer, None when there is none in time. Raises OSError."""
    with _open() as probe:
        number = os.getpid() & 0xFFFF
        probe.connect((address, 0))
        probe.send(request(number, 1))
        begun = time.monotonic()
        while (left := deadline_seconds - (time.monotonic() - begun)) > 0:
            probe.settimeout(left)
            try:
                answer = probe.recv(1024)
            except TimeoutError:
                return None
            seconds = time.monotonic() - begun
            # The kernel puts its own number into a datagram socket's echo.
            if is_answer(answer, number if probe.type == socket.SOCK_RAW else None, 1):
                return seconds
    return None


def _open() -> socket.socket:
    """Return a socket for echoes: one that any account may have, else one that root may."""
    try:
        return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except PermissionError:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def request(number: int, sequence: int) -> bytes:
    """Return an echo request with its checksum."""
    blank = HEAD.pack(ECHO_REQUEST, 0, 0, number, sequence) + DATA
    words = struct.unpack(f"!{len(blank) // 2}H", blank)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    return HEAD.pack(ECHO_REQUEST, 0, ~(total + (total >> 16)) & 0xFFFF, number, sequence) + DATA


def is_answer(packet: bytes, number: int | None, sequence: int) -> bool:
    """Tell whether the packet answers our request; a raw socket's has its IP header before it."""
    if packet[:1] and packet[0] >> 4 == 4:
        packet = packet[(packet[0] & 0x0F) * 4 :]
    if len(packet) < HEAD.size:
        return False
    kind, _, _, identifier, told = HEAD.unpack_from(packet)
    return kind == ECHO_REPLY and told == sequence and number in (None, identifier)


def gateway(routes: Path = ROUTES) -> str | None:
    """Return the address of the default gateway with the least metric, None without one."""
    if sys.platform == "win32":
        # Only Windows has the call.
        from kiemke.agent.windows import echo

        return echo.gateway()
    best: tuple[int, str] | None = None
    try:
        lines = routes.read_text("ascii", "replace").splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        columns = line.split()
        try:
            if columns[1] != "00000000" or not int(columns[3], 16) & GATEWAY_FLAG:
                continue
            found = (int(columns[6]), socket.inet_ntoa(struct.pack("=I", int(columns[2], 16))))
        except (ValueError, IndexError, struct.error):
            continue
        best = found if best is None else min(best, found)
    return None if best is None else best[1]
