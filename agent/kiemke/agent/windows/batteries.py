"""The batteries of Windows, asked of their drivers (poclass.h)."""

import struct

from kiemke.agent.windows.port import Windows
from kiemke.wire.inventory import Battery

BATTERY_INTERFACE = "{72631e54-78a4-11d0-bcf7-00aa00b7b32a}"
CLASSES = rf"HKLM\SYSTEM\CurrentControlSet\Control\DeviceClasses\{BATTERY_INTERFACE}"
QUERY_TAG = 0x294040  # IOCTL_BATTERY_QUERY_TAG
QUERY_INFORMATION = 0x294044  # IOCTL_BATTERY_QUERY_INFORMATION
INFORMATION, NAME, MAKER, SERIAL = 0, 4, 6, 8  # BATTERY_QUERY_INFORMATION_LEVEL
RELATIVE = 0x40000000  # BATTERY_CAPACITY_RELATIVE: no unit
SYSTEM_BATTERY = 0x80000000
UNKNOWN = 0xFFFFFFFF
BODY = struct.Struct("<IB3x4s6I")


def read(windows: Windows) -> list[Battery]:
    """Return one Battery a pack that is in; batteries of mice and of a UPS are left out."""
    found = []
    for key in windows.registry.names(CLASSES):
        battery = _battery(windows, key.replace("##?#", "\\\\?\\", 1))
        if battery is not None:
            found.append(battery)
    return found


def _battery(windows: Windows, device: str) -> Battery | None:
    tag = windows.control(device, QUERY_TAG, bytes(4), 4, reads=True)
    if tag is None or len(tag) != 4 or tag == bytes(4):
        return None  # an empty bay

    def ask(level: int, size: int) -> bytes:
        request = tag + struct.pack("<Ii", level, 0)
        return windows.control(device, QUERY_INFORMATION, request, size, reads=True) or b""

    def text(level: int) -> str | None:
        words = ask(level, 512).decode("utf-16-le", "replace")
        return words.partition("\0")[0].strip() or None

    body = ask(INFORMATION, BODY.size)
    if len(body) < BODY.size:
        return None
    capabilities, _, chemistry, design, full, _, _, _, cycles = BODY.unpack_from(body)
    if not capabilities & SYSTEM_BATTERY:
        return None
    is_measured = not capabilities & RELATIVE
    return Battery(
        name=text(NAME),
        manufacturer=text(MAKER),
        serial=text(SERIAL),
        chemistry=chemistry.decode("ascii", "replace").strip("\0 ") or None,
        design_mwh=_known(design) if is_measured else None,
        full_mwh=_known(full) if is_measured else None,
        cycles=_known(cycles),
    )


def _known(number: int) -> int | None:
    return None if number in (0, UNKNOWN) else number
