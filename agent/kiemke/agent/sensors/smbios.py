"""What the firmware says: system, BIOS, board, chassis, processors, memory modules.

First the raw SMBIOS tables, then what the kernel shows of them (/sys/class/dmi/id, Windows' registry);
processors come from /proc/cpuinfo or the registry where neither has them.
"""

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from kiemke.agent.decode import smbios, smbios_words
from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.host import Host
from kiemke.agent.sensors.errors import SensorDeniedError
from kiemke.wire.inventory import Bios, Board, Chassis, MemoryModule, Processor, Row, System

if TYPE_CHECKING:
    from kiemke.agent.windows.port import Windows

NAME = "smbios"
SECTIONS = ("system", "bios", "board", "chassis", "processors", "memory")
SOURCE = (
    "/sys/firmware/dmi/tables, else /sys/class/dmi/id, /proc/cpuinfo; Windows: "
    "GetSystemFirmwareTable, else the registry's mssmbios copy, else HARDWARE\\DESCRIPTION"
)
RIGHTS = "root for serials on Linux; any account on Windows"
TABLES = "sys/firmware/dmi/tables"
DMI = "sys/class/dmi/id"
# What the decoder reports in the firmware's own words but what says nothing.
NOT_SAID = frozenset({smbios.BAD_INDEX, smbios.UUID_NOT_PRESENT, smbios.UUID_NOT_SETTABLE})

Said = System | Bios | Board | Chassis | Processor | MemoryModule
Known = TypeVar("Known", bound=Said)


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return the sections this machine's firmware has; raises SensorDeniedError when all is shut."""
    if host.windows is not None:
        return _from_windows(host.windows)
    found: dict[str, tuple[Row, ...]] = {}
    denied = False
    try:
        found = _from_tables(host)
    except PermissionError:
        denied = True
    if not found:
        found = _from_dmi(host)
    if "processors" not in found:
        processors = _from_cpuinfo(host)
        if processors:
            found["processors"] = processors
    if denied and not found:
        raise SensorDeniedError("the SMBIOS tables are readable by root alone")
    return found


def _from_tables(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return what the raw tables say; empty when there are none. Raises PermissionError."""
    try:
        entry_bytes = _firmware_bytes(host, "smbios_entry_point")
        table = _firmware_bytes(host, "DMI")
    except FileNotFoundError:
        return {}
    try:
        return sections_of(smbios.decode_table(smbios.parse_entry_point(entry_bytes), table))
    except DecodeError:
        return {}


def _from_windows(windows: "Windows") -> dict[str, tuple[Row, ...]]:
    """Return what the raw table says, or its copy in the registry, or what the kernel wrote of it."""
    # Only Windows loads it.
    from kiemke.agent.windows import firmware

    found: dict[str, tuple[Row, ...]] = {}
    for table in firmware.tables(windows):
        try:
            found = sections_of(smbios.decode_windows(table))
        except DecodeError:
            continue
        break
    found = firmware.words(windows) | found
    if "processors" not in found and (processors := firmware.processors(windows)):
        found["processors"] = processors
    return found


def sections_of(said: smbios.Smbios) -> dict[str, tuple[Row, ...]]:
    """Return the rows of decoded tables by section."""
    found: dict[str, tuple[Row, ...]] = {}
    single: dict[str, System | Bios | Board | Chassis | None] = {
        "system": said.system,
        "bios": said.bios,
        "board": said.board,
        "chassis": said.chassis,
    }
    for section, row in single.items():
        if row is not None:
            found[section] = (_cleaned(row),)
    if said.processors:
        found["processors"] = tuple(_cleaned(row) for row in said.processors)
    if said.memory:
        found["memory"] = tuple(_cleaned(row) for row in said.memory)
    return found


def _firmware_bytes(host: Host, name: str) -> bytes:
    """Return one file of the tables. Raises FileNotFoundError or PermissionError."""
    return host.path(TABLES, name).read_bytes()


def _cleaned(row: Known) -> Known:
    """Return the row without the words that say nothing."""
    said = {f.name: getattr(row, f.name) for f in fields(row)}
    return type(row)(**{k: None if v in NOT_SAID else v for k, v in said.items()})


def _from_dmi(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return what the kernel shows of the tables; serials only where this account may read them."""
    if not host.path(DMI).is_dir():
        return {}

    def said(name: str) -> str | None:
        return host.text(DMI, name)

    code = host.number(DMI, "chassis_type")
    rows: dict[str, System | Bios | Board | Chassis] = {
        "system": System(
            manufacturer=said("sys_vendor"),
            product=said("product_name"),
            version=said("product_version"),
            serial=said("product_serial"),
            uuid=said("product_uuid"),
            sku=said("product_sku"),
            family=said("product_family"),
        ),
        "bios": Bios(said("bios_vendor"), said("bios_version"), said("bios_date")),
        "board": Board(said("board_vendor"), said("board_name"), said("board_serial")),
        "chassis": Chassis(
            manufacturer=said("chassis_vendor"),
            type=None if code is None else smbios_words.word(smbios_words.CHASSIS_TYPES, code),
            serial=said("chassis_serial"),
            asset_tag=said("chassis_asset_tag"),
        ),
    }
    return {
        section: (row,)
        for section, row in rows.items()
        if any(getattr(row, f.name) is not None for f in fields(row))
    }


def _from_cpuinfo(host: Host) -> tuple[Processor, ...]:
    """Return one Processor a socket as /proc/cpuinfo (proc(5)) tells them apart."""
    text = host.text("proc/cpuinfo")
    if text is None:
        return ()
    khz = host.number("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")
    sockets: dict[str, Processor] = {}
    logical: dict[str, int] = {}
    for block in text.split("\n\n"):
        said = {
            name.strip(): value.strip()
            for name, _, value in (line.partition(":") for line in block.splitlines())
        }
        if "processor" not in said:
            continue
        socket = said.get("physical id", "0")
        logical[socket] = logical.get(socket, 0) + 1
        cores = said.get("cpu cores", "")
        sockets[socket] = Processor(
            version=said.get("model name") or None,
            cores=int(cores) if cores.isdecimal() else None,
            threads=logical[socket],
            max_mhz=None if khz is None else khz // 1000,
        )
    return tuple(sockets[name] for name in sorted(sockets))
