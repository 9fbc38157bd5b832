"""One ping on Windows, by the system's own call that any account may use (icmpapi.h, iphlpapi.h)."""

import ctypes
import ipaddress
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

INVALID_HANDLE = ctypes.c_void_p(-1).value
DATA = b"kiemke"
ANSWER_BYTES = 512
AF_INET6 = 23  # of Windows
_SOCKADDR_IN6 = struct.Struct("<HHI16sI")  # family, port, flow, address, scope


@dataclass(frozen=True, slots=True)
class Shape:
    """Where status and round trip (milliseconds) stand in an answer, as offsets of 32-bit numbers."""

    status: int
    round_trip: int


V4 = Shape(4, 8)  # ICMP_ECHO_REPLY
V6 = Shape(28, 32)  # ICMPV6_ECHO_REPLY, after an IPV6_ADDRESS_EX of 26 bytes


def ping(address: str, deadline_seconds: float) -> float | None:
    """Return the seconds to the answer of an IPv4 or IPv6 address, None when there is none in time.

    Round trips are whole milliseconds here. Raises OSError when nothing can be sent. Windows only.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has this call")
    helper = ctypes.WinDLL("iphlpapi", use_last_error=True)
    target = ipaddress.ip_address(address)
    begin = helper.IcmpCreateFile if target.version == 4 else helper.Icmp6CreateFile
    begin.restype = ctypes.c_void_p
    helper.IcmpCloseHandle.argtypes = (ctypes.c_void_p,)
    handle = begin()
    if handle in (None, INVALID_HANDLE):
        raise ctypes.WinError(ctypes.get_last_error())
    answer = ctypes.create_string_buffer(ANSWER_BYTES)
    milliseconds = round(deadline_seconds * 1000)
    ask = _ask if target.version == 4 else _ask_v6
    try:
        count = ask(helper, handle, address, answer, milliseconds)
    finally:
        helper.IcmpCloseHandle(handle)
    return read_answer(answer.raw, V4 if target.version == 4 else V6) if count else None


def read_answer(raw: bytes, shape: Shape) -> float | None:
    """Return the round trip of an answer in seconds, None when it says that none came."""
    status, milliseconds = (
        int.from_bytes(raw[at : at + 4], "little") for at in (shape.status, shape.round_trip)
    )
    return None if status else milliseconds / 1000


def sockaddr_v6(address: str) -> bytes:
    """Return an IPv6 address, or one with a numbered scope (fe80::1%7), as Windows' sockaddr_in6."""
    plain, _, scope = address.partition("%")
    packed = socket.inet_pton(socket.AF_INET6, plain)
    return _SOCKADDR_IN6.pack(AF_INET6, 0, 0, packed, int(scope) if scope.isdecimal() else 0)


def _ask(helper: Any, handle: int, address: str, answer: Any, milliseconds: int) -> int:
    helper.IcmpSendEcho.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint16, ctypes.c_void_p,
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
    )  # fmt: skip
    target = int.from_bytes(socket.inet_aton(address), "little")
    return int(
        helper.IcmpSendEcho(
            handle, target, DATA, len(DATA), None, answer, ANSWER_BYTES, milliseconds
        )
    )


def _ask_v6(helper: Any, handle: int, address: str, answer: Any, milliseconds: int) -> int:
    helper.Icmp6SendEcho2.argtypes = (
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p,
        ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint16, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_uint32, ctypes.c_uint32,
    )  # fmt: skip
    return int(
        helper.Icmp6SendEcho2(
            handle, None, None, None, sockaddr_v6("::"), sockaddr_v6(address), DATA, len(DATA),
            None, answer, ANSWER_BYTES, milliseconds,
        )
    )  # fmt: skip
