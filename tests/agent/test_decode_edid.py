"""The EDID decoder: each rule on a block made by hand, and any bytes at all."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiemke.agent.decode import edid
from kiemke.agent.decode.errors import DecodeError
from tests.support import firmware
from tests.support.firmware import cta_extension, descriptor, displayid_extension, timing


def test_a_whole_block_is_read_field_by_field() -> None:
    said = edid.decode(
        firmware.edid(
            descriptors=(
                timing(1920, 1080),
                descriptor(0xFC, b"DELL P2419H\n "),
                descriptor(0xFF, b"8Y5RX23\n     "),
            )
        )
    )

    assert (said.manufacturer, said.product_code, said.name) == ("DEL", "16419", "DELL P2419H")
    assert (said.serial, said.year, said.week) == ("8Y5RX23", 2008, 12)
    assert (said.width_cm, said.height_cm) == (52, 29)
    assert (said.preferred, said.digital) == ("1920x1080", True)


def test_what_the_monitor_does_not_say_is_none() -> None:
    said = edid.decode(firmware.edid(week=0, centimetres=(0, 0), digital=False))

    assert (said.name, said.serial, said.week, said.preferred) == (None, None, None, None)
    assert (said.width_cm, said.height_cm, said.digital) == (None, None, False)


@pytest.mark.parametrize("sides", [(79, 0), (0, 79)])
def test_an_aspect_ratio_in_the_place_of_the_size_is_no_size(sides: tuple[int, int]) -> None:
    """EDID 1.4 puts an aspect ratio there and leaves the other side 0."""
    said = edid.decode(firmware.edid(centimetres=sides))

    assert (said.width_cm, said.height_cm) == (None, None)


def test_week_255_means_a_model_year() -> None:
    said = edid.decode(firmware.edid(week=255, year=2021))

    assert (said.week, said.year) == (None, 2021)


def test_the_numeric_serial_stands_in_for_a_missing_text_one() -> None:
    assert edid.decode(firmware.edid(serial=0x04030201)).serial == "67305985"
    assert edid.decode(firmware.edid(serial=0x01010101)).serial is None


def test_a_blank_second_name_does_not_replace_the_first() -> None:
    """LG monitors write their name over two descriptors, the second blank."""
    blank, name = descriptor(0xFC, b" \n           "), descriptor(0xFC, b"L1753T\n      ")

    assert edid.decode(firmware.edid(descriptors=(blank, name, blank))).name == "L1753T"


def test_a_name_ended_by_another_control_byte_ends_there() -> None:
    name = descriptor(0xFC, b"V193W\0\xffgarbag")

    assert edid.decode(firmware.edid(descriptors=(name,))).name == "V193W"


def test_an_interlaced_timing_counts_its_whole_frame() -> None:
    said = edid.decode(firmware.edid(descriptors=(timing(1920, 540, interlaced=True),)))

    assert said.preferred == "1920x1080"


def test_without_a_base_timing_the_extension_is_asked() -> None:
    detailed = cta_extension(short_videos=(16,), timings=(timing(2560, 1440),))
    short = cta_extension(short_videos=(220, 128 + 4, 16))

    assert edid.decode(firmware.edid(extensions=(detailed,))).preferred == "2560x1440"
    assert edid.decode(firmware.edid(extensions=(short,))).preferred == "1280x720"


def test_displayid_gives_the_timing_it_prefers() -> None:
    def type_1(width: int, height: int, options: int) -> bytes:
        w, h = (width - 1).to_bytes(2, "little"), (height - 1).to_bytes(2, "little")
        return bytes([0, 0, 1, options]) + w + bytes(6) + h + bytes(6)

    timings = type_1(1920, 1080, 0) + type_1(3840, 2160, 0x80)
    block = displayid_extension(bytes([0x03, 0, len(timings)]) + timings)

    assert edid.decode(firmware.edid(extensions=(block,))).preferred == "3840x2160"


def test_a_header_with_a_flipped_bit_is_still_one() -> None:
    data = bytearray(firmware.edid())
    data[0] = 0x01

    assert edid.decode(bytes(data)).manufacturer == "DEL"


@pytest.mark.parametrize("data", [b"", b"\0" * 127, b"\0" * 128, firmware.edid()[:100]])
def test_what_is_no_edid_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        edid.decode(data)


@given(st.binary(max_size=700), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_decoded_or_refused_in_bounded_time(tail: bytes, whole: bool) -> None:
    data = firmware.edid()[:20] + tail if whole else tail
    began = time.thread_time()  # what it worked, not how long the machine let it wait
    try:
        said = edid.decode(data)
    except DecodeError:
        pass
    else:
        assert said.digital in (True, False)

    assert time.thread_time() - began < 1.0
