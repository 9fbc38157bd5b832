"""One row of ifTable and ifXTable: speeds, counters, addresses and states."""

import pytest

from kiemke.collectors.snmp import interfaces, oids, values
from kiemke.collectors.snmp.reader import Value


@pytest.mark.parametrize(
    ("plain", "high", "speed"),
    [
        (100_000_000, 100, 100_000_000),
        (1_544_000, 2, 1_544_000),  # ifHighSpeed rounds: the finer figure wins
        (4_294_967_295, 10_000, 10_000_000_000),
        (1_410_065_408, 10_000, 10_000_000_000),  # a device that lets ifSpeed wrap at 2**32
        (0, 1000, 1_000_000_000),
        (0, 0, None),
        (None, 100, 100_000_000),
        (None, None, None),
        (100_000_000, 4_294_967_295, 100_000_000),  # rubbish in ifHighSpeed
        (-1, None, None),
        (4_294_967_295, None, None),  # "more than I can say", and nothing else says it
        (4_294_967_295, 0, None),
        (100_000_000, 100_000, 100_000_000),  # ifHighSpeed in kilobits
        (1_000_000_000, 1_000_000_000, 1_000_000_000),  # in bits
    ],
)
def test_speed_is_the_figure_that_can_be_true(
    plain: int | None, high: int | None, speed: int | None
) -> None:
    row: dict[str, Value] = {}
    if plain is not None:
        row[oids.IF_SPEED] = plain
    if high is not None:
        row[oids.IF_HIGH_SPEED] = high

    assert interfaces.read_speed(row) == speed


@pytest.mark.parametrize(
    ("wide", "narrow", "chosen"),
    [
        ((5, 6), (1, 2), (64, 5, 6)),
        ((None, None), (1, 2), (32, 1, 2)),
        ((5, None), (1, 2), (32, 1, 2)),
        ((5, None), (None, None), (64, 5, None)),
        ((0, 0), (7, 0), (32, 7, 0)),
        ((0, 0), (0, 0), (64, 0, 0)),
        ((2**64 - 1, 0), (9, 9), (64, 2**64 - 1, 0)),
        ((-5, 6), (1, 2), (32, 1, 2)),
        ((None, None), (None, None), (None, None, None)),
        ((None, None), (None, 4), (32, None, 4)),
    ],
)
def test_the_two_counters_of_a_row_never_mix_widths(
    wide: tuple[int | None, int | None],
    narrow: tuple[int | None, int | None],
    chosen: tuple[int | None, int | None, int | None],
) -> None:
    names = (
        oids.IF_HC_IN_OCTETS,
        oids.IF_HC_OUT_OCTETS,
        oids.IF_IN_OCTETS,
        oids.IF_OUT_OCTETS,
    )
    row = {
        name: value
        for name, value in zip(names, (*wide, *narrow), strict=True)
        if value is not None
    }

    assert interfaces.choose_counters(row) == chosen


@pytest.mark.parametrize(
    ("raw", "mac"),
    [
        (bytes.fromhex("0c5f4c5a0000"), "0c:5f:4c:5a:00:00"),
        (b"0:c:29:1a:2b:3c", "00:0c:29:1a:2b:3c"),
        (b"00-0C-29-1A-2B-3C", "00:0c:29:1a:2b:3c"),
        (bytes(6), None),
        (b"", None),
        (bytes(8), None),
        (None, None),
        (17, None),
    ],
)
def test_a_mac_is_six_bytes_or_nothing(raw: Value | None, mac: str | None) -> None:
    assert values.read_mac(raw) == mac


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Phòng Nội vụ".encode(), "Phòng Nội vụ"),
        (b"Gi0/1\x00", "Gi0/1"),
        (b"\xd0\xff\xfe", "Ðÿþ"),
        (b"   ", None),
        (None, None),
    ],
)
def test_text_is_read_whatever_its_bytes(raw: Value | None, text: str | None) -> None:
    assert values.read_text(raw) == text


def test_states_are_up_down_or_unknown() -> None:
    """Operational state 4 is "unknown" (RFC 2863); 5 dormant and 7 lowerLayerDown carry nothing."""
    states = [
        interfaces.make_row(1, {oids.IF_ADMIN_STATUS: 1, oids.IF_OPER_STATUS: oper}).oper_up
        for oper in (1, 2, 4, 5, 7)
    ]

    assert states == [True, False, None, False, False]


def test_what_the_device_lacks_is_none_and_never_zero() -> None:
    row = interfaces.make_row(3, {})

    assert row.index == 3
    assert {getattr(row, name) for name in row.__slots__ if name != "index"} == {None}
