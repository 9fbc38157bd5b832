"""This machine's own neighbour table on Windows: GetIpNetTable2 (netioapi.h). Reading it sends nothing."""

import ctypes
import ipaddress
import struct
import sys

from kiemke.collectors.discover.ids import station_mac
from kiemke.wire.lan import LanAddress

COUNT = struct.Struct("<I4x")  # MIB_IPNET_TABLE2
# MIB_IPNET_ROW2: SOCKADDR_INET, interface's index and LUID, MAC and its length, state, flags, age
ROW = struct.Struct("<H26sI8x32sIi8x")
AF_INET, AF_INET6 = 2, 23  # winsock2.h
ADDRESSES = {AF_INET: slice(2, 6), AF_INET6: slice(6, 22)}  # behind the family: port, flow
PROBE = 2  # NL_NEIGHBOR_STATE: not unreachable (0) or incomplete (1): somebody answered
MOST_ROWS = 100_000


def read() -> list[LanAddress]:
    """Return what Windows knows, [] when it does not say."""
    if sys.platform != "win32":
        return []
    helper = ctypes.WinDLL("iphlpapi")
    table = ctypes.c_void_p()
    if helper.GetIpNetTable2(0, ctypes.byref(table)) or not table.value:
        return []
    try:
        (count,) = COUNT.unpack(ctypes.string_at(table.value, COUNT.size))
        rows = min(count, MOST_ROWS)
        return parse(ctypes.string_at(table.value + COUNT.size, rows * ROW.size))
    finally:
        helper.FreeMibTable(table)


def parse(data: bytes) -> list[LanAddress]:
    """Return the rows of hosts that answered, with their interface's index."""
    found = []
    for family, place, index, mac, size, state in ROW.iter_unpack(data):
        station = station_mac(mac[:size])
        if state < PROBE or family not in ADDRESSES or station is None:
            continue
        address = ipaddress.ip_address(place[ADDRESSES[family]])
        found.append(LanAddress(str(address), station, index))
    return found
