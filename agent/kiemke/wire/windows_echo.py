"""One ping on Windows, by the system's own call that any account may use (icmpapi.h, iphlpapi.h)."""

import ctypes
import socket
import sys

INVALID_HANDLE = ctypes.c_void_p(-1).value
DATA = b"kiemke"
ANSWER_BYTES = 256
STATUS_OFFSET, ROUND_TRIP_OFFSET = 4, 8  # ICMP_ECHO_REPLY


def ping(address: str, deadline_seconds: float) -> float | None:
    """Return the seconds to the answer of an IPv4 address, None when there is none in time.

    Round trips are whole milliseconds here. Raises OSError when nothing can be sent. Windows only.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has this call")
    helper = ctypes.WinDLL("iphlpapi", use_last_error=True)
    helper.IcmpCreateFile.restype = ctypes.c_void_p
    helper.IcmpCloseHandle.argtypes = (ctypes.c_void_p,)
    helper.IcmpSendEcho.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint16, ctypes.c_void_p,
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32,
    )  # fmt: skip
    target = int.from_bytes(socket.inet_aton(address), "little")
    handle = helper.IcmpCreateFile()
    if handle in (None, INVALID_HANDLE):
        raise ctypes.WinError(ctypes.get_last_error())
    answer = ctypes.create_string_buffer(ANSWER_BYTES)
    try:
        milliseconds = round(deadline_seconds * 1000)
        count = helper.IcmpSendEcho(
            handle, target, DATA, len(DATA), None, answer, ANSWER_BYTES, milliseconds
        )
    finally:
        helper.IcmpCloseHandle(handle)
    if not count or int.from_bytes(answer.raw[STATUS_OFFSET : STATUS_OFFSET + 4], "little"):
        return None
    return int.from_bytes(answer.raw[ROUND_TRIP_OFFSET : ROUND_TRIP_OFFSET + 4], "little") / 1000
