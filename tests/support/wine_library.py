"""A library that Windows has and an older Wine has not: one export that leads to what Wine calls it.

Windows' bcryptprimitives.dll exports ProcessPrng, which cryptography, bcrypt and PyNaCl import; Wine has the same
function as SystemFunction036 of advapi32.dll. The file holds no code, only the way there.
"""

import struct
from pathlib import Path

NAME = "bcryptprimitives.dll"
EXPORT, LEADS_TO = b"ProcessPrng\0", b"advapi32.SystemFunction036\0"
SECTION_AT, FILE_AT = 0x1000, 0x200
_DIRECTORY = struct.Struct("<IIHHIIIIIII")  # IMAGE_EXPORT_DIRECTORY


def add_missing(system32: Path) -> None:
    """Write the library where Wine looks for it, unless this Wine has one."""
    if not (system32 / NAME).exists():
        (system32 / NAME).write_bytes(make())


def make() -> bytes:
    """Return the library, a PE file of one section."""
    exports = _exports()
    headers = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"
    # x86-64, one section; a DLL that may lie anywhere.
    headers += struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    headers += struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        0x20B, 14, 0, 0, len(exports), 0, 0, SECTION_AT,
        0x1_C000_0000, 0x1000, FILE_AT, 6, 0, 0, 0, 6, 0, 0, 0x2000, FILE_AT, 0, 2, 0x0140,
        0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
    )  # fmt: skip
    headers += struct.pack("<II", SECTION_AT, len(exports)) + bytes(15 * 8)
    headers += struct.pack(
        "<8sIIIIIIHHI",
        b".edata",
        len(exports),
        SECTION_AT,
        FILE_AT,
        FILE_AT,
        0,
        0,
        0,
        0,
        0x40000040,
    )
    return headers.ljust(FILE_AT, b"\0") + exports.ljust(FILE_AT, b"\0")


def _exports() -> bytes:
    """Return the section: the directory, its three tables of one entry, and the names."""
    tables = SECTION_AT + _DIRECTORY.size
    names = tables + 4 + 4 + 2
    library, export = NAME.encode() + b"\0", names + len(NAME) + 1
    leads_to = export + len(EXPORT)
    directory = _DIRECTORY.pack(0, 0, 0, 0, names, 1, 1, 1, tables, tables + 4, tables + 8)
    entries = struct.pack("<IIH", leads_to, export, 0)
    return directory + entries + library + EXPORT + LEADS_TO
