"""What disks say of themselves, as Windows' drivers and NVMe controllers hand it over.

Sources: ntddstor.h (STORAGE_DEVICE_DESCRIPTOR and its kin); NVM Express Base 2.0, figures 207 and 275.
"""

from dataclasses import dataclass

BUSES = {
    1: "scsi", 2: "sata", 3: "sata", 4: "firewire", 6: "fibre", 7: "usb", 8: "raid", 9: "iscsi",
    10: "sas", 11: "sata", 12: "mmc", 13: "mmc", 14: "virtual", 15: "virtual", 16: "spaces",
    17: "nvme", 18: "scm", 19: "ufs",
}  # fmt: skip
DESCRIPTOR_BYTES = 36
IDENTIFY_BYTES = 72
HEALTH_BYTES = 512
# Critical warnings that mean "replace me": spare below threshold, unreliable, read-only.
FAILING = 0b0000_1101
NO_WEAR = 255


@dataclass(frozen=True, slots=True)
class Description:
    """A disk by its driver; texts stripped, absent ones None."""

    model: str | None
    serial: str | None
    firmware: str | None
    bus: str | None
    removable: bool


@dataclass(frozen=True, slots=True)
class Health:
    """An NVMe disk's own word on its health."""

    is_failing: bool
    wear_percent: int | None
    powered_hours: int


def describe(data: bytes) -> Description | None:
    """Return what a STORAGE_DEVICE_DESCRIPTOR says, None when it is cut short."""
    if len(data) < DESCRIPTOR_BYTES:
        return None

    def text(at: int) -> str | None:
        offset = int.from_bytes(data[at : at + 4], "little")
        if not 0 < offset < len(data):  # 0 and -1: not given
            return None
        return _printable(data[offset:].partition(b"\0")[0])

    maker, product = text(12), text(16)
    # ATA disks have no maker: drivers write the bus there.
    maker = None if maker and maker.upper() in ("ATA", "NVME", "(STANDARD DISK DRIVES)") else maker
    return Description(
        model=" ".join(part for part in (maker, product) if part) or None,
        serial=printed_serial(text(24)),
        firmware=text(20),
        bus=BUSES.get(int.from_bytes(data[28:32], "little")),
        removable=bool(data[10]),
    )


def printed_serial(text: str | None) -> str | None:
    """Return a serial as it is printed on the disk: old drivers give its bytes in hexadecimal.

    Those are swapped two by two, as ATA's words are. A hexadecimal serial that is no such text stays.
    """
    if text is None or len(text) < 16 or len(text) % 4:
        return text
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return text
    if not all(32 <= byte < 127 for byte in raw):
        return text
    swapped = b"".join(raw[at + 1 : at + 2] + raw[at : at + 1] for at in range(0, len(raw), 2))
    return _printable(swapped)


def _printable(raw: bytes) -> str | None:
    """Return printable ASCII without blanks around, other bytes dropped; None when none is left."""
    return "".join(chr(byte) for byte in raw if 32 <= byte < 127).strip() or None


def identify(data: bytes) -> tuple[str | None, str | None, str | None] | None:
    """Return (model, serial, firmware) of an NVMe Identify Controller page; None when cut short."""
    if len(data) < IDENTIFY_BYTES:
        return None
    return _printable(data[24:64]), _printable(data[4:24]), _printable(data[64:72])


def health(data: bytes) -> Health | None:
    """Return what an NVMe SMART / Health log says; None when it is cut short or blank."""
    if len(data) < HEALTH_BYTES or not any(data):
        return None
    wear = data[5]
    return Health(
        is_failing=bool(data[0] & FAILING),
        wear_percent=None if wear == NO_WEAR else wear,
        powered_hours=int.from_bytes(data[128:144], "little"),
    )


def geometry_bytes(data: bytes) -> int | None:
    """Return the size of a disk by DISK_GEOMETRY_EX; None when it is cut short or 0."""
    return int.from_bytes(data[24:32], "little") or None if len(data) >= 32 else None


def has_seek_penalty(data: bytes) -> bool | None:
    """Tell whether heads must move, by DEVICE_SEEK_PENALTY_DESCRIPTOR; None when cut short."""
    return bool(data[8]) if len(data) >= 9 else None


def protocol_data(data: bytes, size_bytes: int) -> bytes:
    """Return what a STORAGE_PROTOCOL_DATA_DESCRIPTOR carries; empty when it is cut short."""
    if len(data) < 28:
        return b""
    start = 8 + int.from_bytes(data[24:28], "little")
    return data[start : start + size_bytes]
