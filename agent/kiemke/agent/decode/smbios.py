"""What the firmware says of the machine: SMBIOS tables into rows. Source: DMTF DSP0134 3.8.

Three shapes of input: a dump (entry point first, the table at the offset it names), the pair of
files that Linux shows in /sys/firmware/dmi/tables, and what Windows gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kiemke.agent.decode import smbios_words as words
from kiemke.agent.decode.errors import DecodeError
from kiemke.wire.inventory import Bios, Board, Chassis, MemoryModule, Processor, System

MAX_STRUCTURES = 65536
END_OF_TABLE = 127
BAD_INDEX = "<BAD INDEX>"
UUID_NOT_PRESENT = "Not Present"
UUID_NOT_SETTABLE = "Not Settable"
MEBIBYTE = 1 << 20
WINDOWS_HEAD_BYTES = 8
# Entry points that state a version their makers did not mean (known from the field).
VERSION_MENDED = {(2, 31): (2, 3), (2, 33): (2, 3), (2, 51): (2, 6)}


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where the table is and how to read it; ``structures`` None when the entry does not count."""

    version: tuple[int, int]
    address: int
    length_bytes: int
    structures: int | None


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure: its formatted area (header included) and its strings as they stand."""

    type: int
    data: bytes
    strings: tuple[bytes, ...]

    def byte(self, offset: int) -> int | None:
        """Return the byte at ``offset``, None past the structure's end."""
        return self.data[offset] if offset < len(self.data) else None

    def integer(self, offset: int, size_bytes: int) -> int | None:
        """Return the little-endian number at ``offset``, None past the structure's end."""
        field = self.data[offset : offset + size_bytes]
        return int.from_bytes(field, "little") if len(field) == size_bytes else None

    def text(self, offset: int) -> str | None:
        """Return the string whose index stands at ``offset``, stripped.

        None when not given or blank; BAD_INDEX when the index points past the strings. Bytes
        outside printable ASCII become ".".
        """
        index = self.byte(offset)
        if not index:
            return None
        if index > len(self.strings):
            return BAD_INDEX
        raw = self.strings[index - 1]
        return "".join(chr(b) if 32 <= b < 127 else "." for b in raw).strip() or None


@dataclass(frozen=True, slots=True)
class Smbios:
    """What the tables say, in order of appearance; an absent structure is None or an empty tuple."""

    bios: Bios | None
    system: System | None
    board: Board | None
    chassis: Chassis | None
    processors: tuple[Processor, ...]
    memory: tuple[MemoryModule, ...]


def decode_dump(data: bytes) -> Smbios:
    """Return what a dump says (entry point, then the table at its offset). Raises DecodeError."""
    entry = parse_entry_point(data)
    if entry.address >= len(data):
        raise DecodeError(f"the table should begin at {entry.address}, past the end of the dump")
    return decode_table(entry, data[entry.address :])


def decode_windows(data: bytes) -> Smbios:
    """Return what Windows hands over: eight bytes (RawSMBIOSData, winbase), then the table.

    Raises DecodeError.
    """
    if len(data) < WINDOWS_HEAD_BYTES:
        raise DecodeError(f"a table of Windows has at least {WINDOWS_HEAD_BYTES} bytes")
    version = (data[1], data[2])
    length = int.from_bytes(data[4:8], "little")
    entry = EntryPoint(VERSION_MENDED.get(version, version), WINDOWS_HEAD_BYTES, length, None)
    return decode_table(entry, data[WINDOWS_HEAD_BYTES:])


def parse_entry_point(data: bytes) -> EntryPoint:
    """Return the entry point at the start of ``data`` (64-bit, 32-bit or legacy).

    Raises DecodeError when none is there or it is cut short.
    """
    if data[:5] == b"_SM3_" and len(data) >= 0x18:
        address = int.from_bytes(data[0x10:0x18], "little")
        length = int.from_bytes(data[0x0C:0x10], "little")
        return EntryPoint((data[7], data[8]), address, length, None)
    if data[:4] == b"_SM_" and len(data) >= 0x1F:
        version = (data[6], data[7])
        return _legacy(data[0x10:0x1F], VERSION_MENDED.get(version, version))
    if data[:5] == b"_DMI_" and len(data) >= 0x0F:
        return _legacy(data[:0x0F], (data[0x0E] >> 4, data[0x0E] & 0x0F))
    raise DecodeError("no SMBIOS entry point (_SM3_, _SM_ or _DMI_)")


def _legacy(part: bytes, version: tuple[int, int]) -> EntryPoint:
    """Return the entry point of a _DMI_ part: length at 6, address at 8, count at 12."""
    if part[:5] != b"_DMI_":
        raise DecodeError("the entry point lacks its _DMI_ part")
    return EntryPoint(
        version,
        int.from_bytes(part[8:12], "little"),
        int.from_bytes(part[6:8], "little"),
        int.from_bytes(part[12:14], "little") or None,
    )


def structures(entry: EntryPoint, table: bytes) -> Iterator[Structure]:
    """Yield the whole structures of ``table``; stops at the first one that is broken or cut."""
    table = table[: entry.length_bytes] if entry.length_bytes else table
    limit = min(entry.structures or MAX_STRUCTURES, MAX_STRUCTURES)
    at = 0
    for _ in range(limit):
        if at + 4 > len(table):
            return
        kind, length = table[at], table[at + 1]
        if length < 4 or at + length > len(table):
            return
        end = table.find(b"\0\0", at + length)
        if end < 0:
            return
        strings = table[at + length : end]
        yield Structure(
            kind, table[at : at + length], tuple(strings.split(b"\0")) if strings else ()
        )
        # Old tables count their structures and may go on past an end mark; 64-bit ones stop there.
        if kind == END_OF_TABLE and entry.structures is None:
            return
        at = end + 2


def decode_table(entry: EntryPoint, table: bytes) -> Smbios:
    """Return what the structures of ``table`` say. Raises DecodeError when there is not one."""
    bios: Bios | None = None
    system: System | None = None
    board: Board | None = None
    chassis: Chassis | None = None
    processors: list[Processor] = []
    memory: list[MemoryModule] = []
    count = 0
    for one in structures(entry, table):
        count += 1
        match one.type:
            case 0:
                bios = bios or _bios(one)
            case 1:
                system = system or _system(one, entry.version)
            case 2:
                board = board or _board(one)
            case 3:
                chassis = chassis or _chassis(one)
            case 4:
                processors.append(_processor(one))
            case 17:
                memory.append(_memory(one))
    if not count:
        raise DecodeError("the table holds no whole structure")
    return Smbios(bios, system, board, chassis, tuple(processors), tuple(memory))


def _bios(one: Structure) -> Bios:
    """Return type 0 (7.1)."""
    return Bios(one.text(0x04), one.text(0x05), one.text(0x08))


def _system(one: Structure, version: tuple[int, int]) -> System:
    """Return type 1 (7.2); the UUID in the byte order of the table's version."""
    return System(
        manufacturer=one.text(0x04),
        product=one.text(0x05),
        version=one.text(0x06),
        serial=one.text(0x07),
        uuid=_uuid(one.data[0x08:0x18], version),
        sku=one.text(0x19),
        family=one.text(0x1A),
    )


def _uuid(raw: bytes, version: tuple[int, int]) -> str | None:
    """Return 16 bytes as a UUID, or one of the two words the specification has for none (7.2.1)."""
    if len(raw) < 16:
        return None
    if raw == b"\xff" * 16:
        return UUID_NOT_PRESENT
    if raw == b"\0" * 16:
        return UUID_NOT_SETTABLE
    if version >= (2, 6):  # the first three fields became little-endian in 2.6
        raw = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _board(one: Structure) -> Board:
    """Return type 2 (7.3)."""
    return Board(one.text(0x04), one.text(0x05), one.text(0x07))


def _chassis(one: Structure) -> Chassis:
    """Return type 3 (7.4); bit 7 of the type is the lock."""
    code = one.byte(0x05)
    return Chassis(
        manufacturer=one.text(0x04),
        type=None if code is None else words.word(words.CHASSIS_TYPES, code & 0x7F),
        serial=one.text(0x07),
        asset_tag=one.text(0x08),
    )


def _processor(one: Structure) -> Processor:
    """Return type 4 (7.5)."""
    return Processor(
        version=one.text(0x10),
        cores=_count(one, 0x23, 0x2A),
        threads=_count(one, 0x25, 0x2E),
        max_mhz=one.integer(0x14, 2) or None,
    )


def _count(one: Structure, offset: int, wide_offset: int) -> int | None:
    """Return a core or thread count: one byte, or the word of SMBIOS 3.0 where the byte is 255."""
    count = one.byte(offset)
    if count == 0xFF:
        wide = one.integer(wide_offset, 2)
        if wide is not None:
            count = None if wide == 0xFFFF else wide
    return count or None


def _memory(one: Structure) -> MemoryModule:
    """Return type 17 (7.18)."""
    form_factor, kind = one.byte(0x0E), one.byte(0x12)
    return MemoryModule(
        locator=one.text(0x10),
        size_bytes=_memory_size(one),
        form_factor=(
            None if form_factor is None else words.word(words.MEMORY_FORM_FACTORS, form_factor)
        ),
        type=None if kind is None else words.word(words.MEMORY_TYPES, kind),
        speed_mts=_memory_speed(one),
        manufacturer=one.text(0x17),
        serial=one.text(0x18),
        part_number=one.text(0x1A),
    )


def _memory_size(one: Structure) -> int | None:
    """Return the size in bytes: 0 for an empty slot, None when the firmware does not know."""
    size = one.integer(0x0C, 2)
    if size is None or size == 0xFFFF:
        return None
    if size == 0x7FFF:
        extended = one.integer(0x1C, 4)  # megabytes, bit 31 reserved (7.18.5)
        if extended is not None:
            return (extended & 0x7FFFFFFF) * MEBIBYTE
    if size & 0x8000:  # bit 15: the unit is a kilobyte
        return (size & 0x7FFF) * 1024
    return size * MEBIBYTE


def _memory_speed(one: Structure) -> int | None:
    """Return the speed in megatransfers a second, the wide field of SMBIOS 3.3 where it says so."""
    speed = one.integer(0x15, 2)
    if speed == 0xFFFF:
        wide = one.integer(0x54, 4)
        speed = None if wide is None else wide & 0x7FFFFFFF  # bit 31 reserved (7.18.4)
    return speed or None
