"""The SMBIOS decoder: each rule of the specification on structures made by hand, and any bytes."""

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiemke.agent.decode import smbios
from kiemke.agent.decode.errors import DecodeError
from kiemke.wire.inventory import Bios, Board, Chassis, System
from tests.support.firmware import dump, entry_point_2, structure, table_end

UUID_BYTES = bytes.fromhex("823e0f85389f4a6988402f8b0cf5d3d0")


def system_structure(uuid: bytes = UUID_BYTES) -> bytes:
    return structure(
        1, bytes([1, 2, 3, 4]) + uuid + bytes([6, 5, 6]),
        "Dell Inc.", "OptiPlex 3080", "1.0  ", " 7XK2M93", "0A19", "OptiPlex",
    )  # fmt: skip


def memory_structure(
    size: int, extended: int = 0, speed: int = 2400, wide_speed: int = 0, kind: int = 0x1A
) -> bytes:
    formatted = struct.pack("<HHHHHBBBBBHH", 0, 0, 64, 64, size, 9, 0, 1, 2, kind, 0, speed)
    formatted += bytes([3, 4, 0, 5, 0]) + struct.pack("<I", extended)
    formatted += bytes(0x54 - 4 - len(formatted)) + struct.pack("<II", wide_speed, 0)
    return structure(17, formatted, "DIMM1", "BANK 0", "Samsung", "417B9BB7", "M471A2K43CB1  ")


def processor_structure(cores: int, threads: int, wide: tuple[int, int] = (0, 0)) -> bytes:
    body = bytearray(0x30 - 4)
    body[0x10 - 4] = 1
    body[0x14 - 4 : 0x16 - 4] = struct.pack("<H", 4200)
    body[0x23 - 4], body[0x25 - 4] = cores, threads
    body[0x2A - 4 : 0x2C - 4] = struct.pack("<H", wide[0])
    body[0x2E - 4 : 0x30 - 4] = struct.pack("<H", wide[1])
    return structure(4, bytes(body), "Intel(R) Core(TM) i5-10505 CPU @ 3.20GHz")


def test_a_machine_is_read_whole_and_strings_are_stripped() -> None:
    said = smbios.decode_dump(
        dump(
            (2, 8),
            structure(0, bytes([1, 2]) + bytes(2) + bytes([3]) + bytes(15), "AMI", "2.14", "07/13/2018"),
            system_structure(),
            structure(2, bytes([1, 2, 0, 3]), "Dell Inc.", "0J37VM", "/7XK2M93/CN/"),
            structure(3, bytes([1, 0x80 | 3, 0, 2, 3]), "Dell Inc.", "7XK2M93", "TS-0042"),
            table_end(),
        )
    )  # fmt: skip

    assert said.bios == Bios("AMI", "2.14", "07/13/2018")
    assert said.system == System(
        "Dell Inc.", "OptiPlex 3080", "1.0", "7XK2M93",
        "850f3e82-9f38-694a-8840-2f8b0cf5d3d0", "0A19", "OptiPlex",
    )  # fmt: skip
    assert said.board == Board("Dell Inc.", "0J37VM", "/7XK2M93/CN/")
    assert said.chassis == Chassis("Dell Inc.", "Desktop", "7XK2M93", "TS-0042")


@pytest.mark.parametrize(
    ("version", "uuid"),
    [
        ((2, 5), "823e0f85-389f-4a69-8840-2f8b0cf5d3d0"),  # as it stands
        ((2, 6), "850f3e82-9f38-694a-8840-2f8b0cf5d3d0"),  # first three fields little-endian
        ((2, 51), "850f3e82-9f38-694a-8840-2f8b0cf5d3d0"),  # makers who wrote 2.6 as 2.51
        ((2, 31), "823e0f85-389f-4a69-8840-2f8b0cf5d3d0"),  # and 2.3 as 2.31
        ((3, 1), "850f3e82-9f38-694a-8840-2f8b0cf5d3d0"),
    ],
)
def test_the_byte_order_of_the_uuid_follows_the_tables_version(
    version: tuple[int, int], uuid: str
) -> None:
    """In the wrong order the same PC is another one to the server."""
    system = smbios.decode_dump(dump(version, system_structure())).system

    assert system is not None
    assert system.uuid == uuid


@pytest.mark.parametrize(("byte", "word"), [(b"\xff", "Not Present"), (b"\0", "Not Settable")])
def test_a_uuid_that_is_none_is_named_so(byte: bytes, word: str) -> None:
    system = smbios.decode_dump(dump((2, 8), system_structure(byte * 16))).system

    assert system is not None
    assert system.uuid == word


@pytest.mark.parametrize(
    ("size", "extended", "expected"),
    [
        (8192, 0, 8 << 30),
        (0x8000 | 512, 0, 512 << 10),  # bit 15: kilobytes
        (0, 0, 0),  # an empty slot
        (0xFFFF, 0, None),  # the firmware does not know
        (0x7FFF, 65536, 64 << 30),  # 32 GB and more stand in the extended field
        (0x7FFF, 0x80000000 | 65536, 64 << 30),  # whose top bit is reserved
    ],
)
def test_memory_sizes(size: int, extended: int, expected: int | None) -> None:
    (module,) = smbios.decode_dump(dump((3, 2), memory_structure(size, extended))).memory

    assert module.size_bytes == expected


@pytest.mark.parametrize(
    ("speed", "wide", "expected"), [(2400, 0, 2400), (0, 0, None), (0xFFFF, 6400, 6400), (0xFFFF, 0, None)]
)  # fmt: skip
def test_memory_speeds(speed: int, wide: int, expected: int | None) -> None:
    (module,) = smbios.decode_dump(
        dump((3, 3), memory_structure(8192, speed=speed, wide_speed=wide))
    ).memory

    assert module.speed_mts == expected


def test_a_memory_module_is_read_whole() -> None:
    (module,) = smbios.decode_dump(dump((3, 6), memory_structure(16384, kind=0x22))).memory

    assert (module.locator, module.form_factor, module.type) == ("DIMM1", "DIMM", "DDR5")
    assert (module.manufacturer, module.serial) == ("Samsung", "417B9BB7")
    assert module.part_number == "M471A2K43CB1"


@pytest.mark.parametrize(
    ("cores", "threads", "wide", "expected"),
    [
        (6, 12, (0, 0), (6, 12)),
        (255, 255, (288, 576), (288, 576)),  # above 254 the count stands in a word
        (0, 0, (0, 0), (None, None)),
    ],
)
def test_core_counts(
    cores: int, threads: int, wide: tuple[int, int], expected: tuple[int | None, int | None]
) -> None:
    (one,) = smbios.decode_dump(dump((3, 0), processor_structure(cores, threads, wide))).processors

    assert (one.cores, one.threads) == expected
    assert one.max_mhz == 4200
    assert one.version == "Intel(R) Core(TM) i5-10505 CPU @ 3.20GHz"


def test_a_short_structure_of_an_old_table_leaves_the_rest_none() -> None:
    """SMBIOS 2.0 wrote eight bytes of type 1: no UUID, no SKU."""
    short = structure(1, bytes([1, 2, 0, 0]), "Maker", "Model")
    system = smbios.decode_dump(dump((2, 0), short)).system

    assert system == System("Maker", "Model")


def test_an_index_past_the_strings_is_named_so_and_blanks_are_none() -> None:
    odd = structure(2, bytes([1, 9, 0, 2]), "   ", "ser\x01\xe9al")
    board = smbios.decode_dump(dump((2, 8), odd)).board

    assert board == Board(None, "<BAD INDEX>", "ser..al")


def test_an_old_table_goes_on_past_an_end_mark_and_a_new_one_does_not() -> None:
    old = smbios.decode_dump(dump((2, 4), table_end(), system_structure()))
    new = smbios.decode_dump(dump((3, 0), table_end(), system_structure()))

    assert old.system is not None
    assert new.system is None


def test_a_cut_table_gives_what_came_before_the_cut() -> None:
    whole = dump((2, 8), system_structure(), structure(2, bytes([1, 1, 0, 1]), "Board"))
    said = smbios.decode_dump(whole[:-4])

    assert said.system is not None
    assert said.board is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"_SM_",
        b"_SM3_" + bytes(30),
        bytes(64),
        entry_point_2((2, 8), 100, 1, address=5000),
        entry_point_2((2, 8), 100, 1),
    ],
)
def test_what_is_no_dump_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        smbios.decode_dump(data)


@given(st.binary(max_size=2000), st.sampled_from([(2, 4), (2, 8), (3, 2)]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_decoded_or_refused_in_bounded_time(
    table: bytes, version: tuple[int, int]
) -> None:
    began = time.thread_time()  # what it worked, not how long the machine let it wait
    for data in (table, dump(version, table)):
        try:
            said = smbios.decode_dump(data)
        except DecodeError:
            continue
        assert all(one.size_bytes is None or one.size_bytes >= 0 for one in said.memory)

    assert time.thread_time() - began < 1.0
