"""The physical disks of Windows, asked of their drivers (ntddstor.h, ntdddisk.h)."""

import struct

from kiemke.agent.decode import storage
from kiemke.agent.windows.port import Windows
from kiemke.wire.inventory import Disk

QUERY_PROPERTY = 0x2D1400  # IOCTL_STORAGE_QUERY_PROPERTY
PREDICT_FAILURE = 0x2D1100  # IOCTL_STORAGE_PREDICT_FAILURE
GET_GEOMETRY = 0x0700A0  # IOCTL_DISK_GET_DRIVE_GEOMETRY_EX
DEVICE, SEEK_PENALTY, ADAPTER_PROTOCOL, DEVICE_PROTOCOL = 0, 7, 49, 50  # STORAGE_PROPERTY_ID
PROTOCOL_NVME = 3
IDENTIFY, LOG_PAGE = 1, 2  # STORAGE_PROTOCOL_NVME_DATA_TYPE
IDENTIFY_CONTROLLER, HEALTH_LOG = 1, 2
MOST_DISKS = 32
ANSWER_BYTES = 4096


def read(windows: Windows) -> list[Disk]:
    """Return one Disk a physical drive; numbers may have gaps where one was taken out."""
    found = []
    for number in range(MOST_DISKS):
        disk = _disk(windows, rf"\\.\PhysicalDrive{number}", f"PhysicalDrive{number}")
        if disk is not None:
            found.append(disk)
    return found


def query(kind: int) -> bytes:
    """Return a STORAGE_PROPERTY_QUERY for a standard property."""
    return struct.pack("<III", kind, 0, 0)


def nvme_query(kind: int, data_type: int, request: int, size_bytes: int) -> bytes:
    """Return a STORAGE_PROPERTY_QUERY that has an NVMe controller asked, with room for its answer."""
    head = struct.pack("<II", kind, 0)
    asked = struct.pack("<7I", PROTOCOL_NVME, data_type, request, 0, 40, size_bytes, 0)
    return head + asked + bytes(12 + size_bytes)


def _disk(windows: Windows, device: str, name: str) -> Disk | None:
    described = windows.control(device, QUERY_PROPERTY, query(DEVICE), ANSWER_BYTES)
    said = storage.describe(described) if described else None
    if said is None:
        return None
    geometry = windows.control(device, GET_GEOMETRY, b"", 256)
    seek = windows.control(device, QUERY_PROPERTY, query(SEEK_PENALTY), 64)
    moves = storage.has_seek_penalty(seek) if seek else None
    model, serial, firmware = said.model, said.serial, said.firmware
    told: storage.Health | None = None
    if said.bus == "nvme":
        # Drivers give an EUI64 for the serial and cut the firmware; the controller itself does not.
        page = _nvme(windows, device, ADAPTER_PROTOCOL, IDENTIFY, IDENTIFY_CONTROLLER, 4096)
        model, serial, firmware = storage.identify(page) or (model, serial, firmware)
        log = _nvme(windows, device, DEVICE_PROTOCOL, LOG_PAGE, HEALTH_LOG, storage.HEALTH_BYTES)
        told = storage.health(log)
        moves = False if moves is None else moves
    return Disk(
        name=name,
        model=model,
        serial=serial,
        firmware=firmware,
        size_bytes=storage.geometry_bytes(geometry) if geometry else None,
        bus=said.bus,
        rotational=moves,
        removable=said.removable,
        health=_health(windows, device, told),
        wear_percent=None if told is None else told.wear_percent,
        powered_hours=None if told is None else told.powered_hours,
    )


def _nvme(
    windows: Windows, device: str, kind: int, data_type: int, request: int, size: int
) -> bytes:
    """Return one page of an NVMe controller, empty when it or its driver refuses."""
    asked = nvme_query(kind, data_type, request, size)
    answer = windows.control(device, QUERY_PROPERTY, asked, len(asked))
    return storage.protocol_data(answer, size) if answer else b""


def _health(windows: Windows, device: str, told: storage.Health | None) -> str | None:
    """Return "ok" or "failing" by the NVMe log or the driver's prediction, None without either."""
    if told is not None:
        return "failing" if told.is_failing else "ok"
    answer = windows.control(device, PREDICT_FAILURE, b"", 1024)
    if answer is None or len(answer) < 4:
        return None
    return "failing" if answer[:4] != bytes(4) else "ok"
