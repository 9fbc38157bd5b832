"""Makers of EDID blocks and SMBIOS dumps, field by field, for tests of the decoders."""

import hashlib
import struct
from pathlib import Path


def descriptor(tag: int, text: bytes) -> bytes:
    """Return an 18-byte text descriptor: 0xFC name, 0xFF serial."""
    return bytes([0, 0, 0, tag, 0]) + text.ljust(13, b" ")[:13]


def timing(width: int, height: int, *, interlaced: bool = False) -> bytes:
    """Return an 18-byte detailed timing of 148.5 MHz."""
    return bytes(
        [0x02, 0x3A, width & 0xFF, 0, (width >> 8) << 4, height & 0xFF, 0, (height >> 8) << 4]
    ) + bytes([0] * 9 + [0x80 if interlaced else 0])


def edid(
    maker: str = "DEL",
    product: int = 0x4023,
    serial: int = 0,
    week: int = 12,
    year: int = 2008,
    digital: bool = True,
    centimetres: tuple[int, int] = (52, 29),
    descriptors: tuple[bytes, ...] = (),
    extensions: tuple[bytes, ...] = (),
) -> bytes:
    """Return a whole EDID; missing descriptors are empty ones (tag 0x10)."""
    packed = 0
    for letter in maker:
        packed = packed << 5 | (ord(letter) - 64)
    block = bytearray(bytes.fromhex("00ffffffffffff00"))
    block += struct.pack(">H", packed) + struct.pack("<HI", product, serial)
    block += bytes([week, year - 1990, 1, 4, 0x80 if digital else 0, *centimetres])
    block += bytes(54 - len(block))
    for n in range(4):
        block += descriptors[n] if n < len(descriptors) else descriptor(0x10, bytes(13))
    block += bytes([len(extensions)])
    block += bytes([-sum(block) & 0xFF])
    return bytes(block) + b"".join(extensions)


def cta_extension(short_videos: tuple[int, ...] = (), timings: tuple[bytes, ...] = ()) -> bytes:
    """Return a CTA-861 extension block with a video data block and detailed timings."""
    data = bytes([2 << 5 | len(short_videos), *short_videos]) if short_videos else b""
    block = bytes([0x02, 3, 4 + len(data), 0]) + data + b"".join(timings)
    return block.ljust(127, b"\0") + b"\0"


def displayid_extension(blocks: bytes) -> bytes:
    """Return a DisplayID 1.3 extension block around its data blocks."""
    section = bytes([0x13, len(blocks), 0, 0]) + blocks
    return (bytes([0x70]) + section).ljust(127, b"\0") + b"\0"


def structure(kind: int, formatted: bytes, *strings: str) -> bytes:
    """Return one SMBIOS structure; ``formatted`` is what follows the four bytes of its header."""
    texts = b"".join(text.encode("latin-1") + b"\0" for text in strings) or b"\0"
    return struct.pack("<BBH", kind, 4 + len(formatted), kind << 8) + formatted + texts + b"\0"


def table_end() -> bytes:
    """Return the end-of-table structure."""
    return structure(127, b"")


def entry_point_2(version: tuple[int, int], length: int, count: int, address: int = 32) -> bytes:
    """Return a 32-bit entry point (_SM_)."""
    legacy = b"_DMI_" + struct.pack("<BHIHB", 0, length, address, count, 0x28)
    head = b"_SM_" + bytes([0, 0x1F, *version]) + bytes(8)
    return (head + legacy).ljust(32, b"\0")


def entry_point_3(version: tuple[int, int], length: int, address: int = 32) -> bytes:
    """Return a 64-bit entry point (_SM3_)."""
    head = b"_SM3_" + bytes([0, 0x18, *version, 0, 1, 0])
    return (head + struct.pack("<IQ", length, address)).ljust(32, b"\0")


def dump(version: tuple[int, int], *structures: bytes) -> bytes:
    """Return a dump: entry point, then the table at offset 32."""
    table = b"".join(structures)
    if version >= (3, 0):
        return entry_point_3(version, len(table)) + table
    return entry_point_2(version, len(table), len(structures)) + table


def dump_tree(root: Path, name: str) -> None:
    """Write the SMBIOS tables of a PC below ``root`` as Linux shows them; its parts bear ``name``."""
    uuid = hashlib.sha256(name.encode()).digest()[:16]
    system = structure(
        1, bytes([1, 2, 0, 3]) + uuid + bytes([6, 0, 0]), "Dell", "3080", f"S-{name}"
    )
    board = structure(2, bytes([1, 2, 0, 3]), "Dell", "0KP561", f"B-{name}")
    table = system + board + table_end()
    folder = root / "sys" / "firmware" / "dmi" / "tables"
    folder.mkdir(parents=True)
    (folder / "smbios_entry_point").write_bytes(entry_point_3((3, 2), len(table), 0)[:24])
    (folder / "DMI").write_bytes(table)
