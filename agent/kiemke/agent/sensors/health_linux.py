"""A disk's own word on its health on Linux: the log of an NVMe controller, an eMMC's wear in sysfs."""

import ctypes
import os
import re
import struct
import sys

from kiemke.agent.decode import storage
from kiemke.agent.host import Host

BLOCK = "sys/block"
NVME_ADMIN = 0xC0484E41  # NVME_IOCTL_ADMIN_CMD, linux/nvme_ioctl.h
GET_LOG_PAGE, HEALTH_LOG = 0x02, 0x02
ALL_NAMESPACES = 0xFFFFFFFF
TIMEOUT_MILLISECONDS = 5000
CONTROLLER = re.compile(r"(nvme\d+)(?:c\d+)?n\d+")
EMMC_URGENT = 3  # PRE_EOL_INFO: 1 normal, 2 four fifths of the spare blocks used, 3 nine tenths
EMMC_STEP_PERCENT = 10

Told = tuple[str | None, int | None, int | None]
NOTHING: Told = (None, None, None)


def read(host: Host, name: str) -> Told:
    """Return (health, wear in percent, hours powered); None what the disk does not tell."""
    controller = CONTROLLER.fullmatch(name)
    if controller is not None and host.is_live:
        told = storage.health(_nvme_log(f"/dev/{controller[1]}"))
        if told is not None:
            return "failing" if told.is_failing else "ok", told.wear_percent, told.powered_hours
    return _emmc(host, name) if name.startswith("mmcblk") else NOTHING


def _nvme_log(device: str) -> bytes:
    """Return the SMART / Health log of a controller, empty where this account may not ask."""
    if sys.platform != "linux":
        return b""
    # Only Linux has fcntl.
    import fcntl

    buffer = ctypes.create_string_buffer(storage.HEALTH_BYTES)
    numd = storage.HEALTH_BYTES // 4 - 1  # dwords, counted from 0
    command = struct.pack(
        "=BBHIIIQQII6III",
        GET_LOG_PAGE, 0, 0, ALL_NAMESPACES, 0, 0, 0, ctypes.addressof(buffer), 0,
        storage.HEALTH_BYTES, numd << 16 | HEALTH_LOG, 0, 0, 0, 0, 0, TIMEOUT_MILLISECONDS, 0,
    )  # fmt: skip
    try:
        handle = os.open(device, os.O_RDONLY)
    except OSError:
        return b""
    try:
        fcntl.ioctl(handle, NVME_ADMIN, bytearray(command))
    except OSError:
        return b""
    finally:
        os.close(handle)
    return buffer.raw


def _emmc(host: Host, name: str) -> Told:
    """Return what an eMMC tells in sysfs: "0x02 0x01" is the wear of its two kinds of cells."""
    words = (host.text(BLOCK, name, "device", "life_time") or "").split()
    spare = host.text(BLOCK, name, "device", "pre_eol_info")
    try:
        steps = [int(word, 16) for word in words]
        level = int(spare, 16) if spare else 0
    except ValueError:
        return NOTHING
    worn = max(steps, default=0)  # 1 is up to a tenth, 11 more than all of it
    health = None if not level else "failing" if level >= EMMC_URGENT else "ok"
    return health, worn * EMMC_STEP_PERCENT or None, None
