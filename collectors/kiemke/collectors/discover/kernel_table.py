"""This machine's own neighbour table: which MAC answered for which address (Linux: rtnetlink).

Source: rtnetlink(7), RTM_GETNEIGH. Reading it sends nothing.
"""

import contextlib
import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator

from kiemke.collectors.discover import windows_table
from kiemke.collectors.discover.ids import station_mac
from kiemke.wire.lan import LanAddress

RTM_NEWNEIGH, RTM_GETNEIGH, NLMSG_ERROR, NLMSG_DONE = 28, 30, 2, 3
REQUEST_DUMP = 0x301
NDA_DST, NDA_LLADDR = 1, 2
# Not incomplete (1), failed (0x20) or without ARP (0x40): somebody answered.
ANSWERED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
HEADER, NEIGHBOUR, ATTRIBUTE = (
    struct.Struct("=IHHII"),
    struct.Struct("=BxHiHBB"),
    struct.Struct("=HH"),
)
BUFFER_BYTES = 1 << 16
PATIENCE_SECONDS = 2.0


def read() -> list[LanAddress]:
    """Return what the kernel knows, [] where there is no such table to read."""
    if sys.platform == "win32":
        return windows_table.read()
    if not hasattr(socket, "AF_NETLINK"):
        return []
    found: list[LanAddress] = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.settimeout(PATIENCE_SECONDS)
        body = NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0)
        link.send(HEADER.pack(HEADER.size + len(body), RTM_GETNEIGH, REQUEST_DUMP, 1, 0) + body)
        done = False
        while not done:
            done = parse(link.recv(BUFFER_BYTES), found)
    return found


def parse(data: bytes, found: list[LanAddress]) -> bool:
    """Add the rows of one answer of the kernel to ``found``. Returns whether it was the last."""
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _, _, _ = HEADER.unpack_from(data, at)
        if kind in (NLMSG_DONE, NLMSG_ERROR) or length < HEADER.size:
            return True
        if kind == RTM_NEWNEIGH:
            row = _row(data[at + HEADER.size : at + length])
            if row is not None:
                found.append(row)
        at += (length + 3) & ~3
    return not data


def _row(body: bytes) -> LanAddress | None:
    if len(body) < NEIGHBOUR.size:
        return None
    _, _, index, state, _, _ = NEIGHBOUR.unpack_from(body)
    told = dict(_attributes(body[NEIGHBOUR.size :]))
    address, mac = told.get(NDA_DST, b""), station_mac(told.get(NDA_LLADDR))
    if not state & ANSWERED or mac is None or len(address) not in (4, 16):
        return None
    return LanAddress(str(ipaddress.ip_address(address)), mac, index)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size:
            return
        yield kind, data[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
