"""Packed days: the bytes on disk are read for years, so they are pinned here."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.daypack import (
    SLOTS,
    UNKNOWN_U16,
    UNKNOWN_U32,
    UNKNOWN_U64,
    DaypackError,
    LinkSlots,
    Presence,
)


def test_presence_has_these_very_bytes() -> None:
    day = Presence()
    day.mark(0, 2, sure=True)
    day.mark(287, 287, sure=False)

    assert day.pack().hex() == "01012c0100" + "07" + "00" * 34 + "80" + "07" + "00" * 35


def test_a_link_day_has_these_very_bytes() -> None:
    day = LinkSlots()
    day.add_traffic(1, 1_000, 2_000, 60)
    day.add_state(1, up=True)
    day.add_echo(1, 5, 4, 12_000, None)
    day.add_quality(1, "ok")

    packed = day.pack(compress=False)

    assert packed[:21].hex() == "02012c0100" + "ff" * 8 + (1_000).to_bytes(8, "little").hex()
    assert len(packed) == 5 + SLOTS * 33
    assert (
        hashlib.sha256(packed).hexdigest()
        == "658d90e8d82171a018a29fbbc17106ad8e9a0c8aa6c04b32289b8d54a77f1754"
    )


def test_an_untouched_slot_is_unknown_and_not_zero() -> None:
    day = LinkSlots()

    assert (day.in_octets[0], day.seconds[0], day.rtt_us[0]) == (
        UNKNOWN_U64,
        UNKNOWN_U16,
        UNKNOWN_U32,
    )


def test_round_trip_times_are_means_weighted_by_what_came_back() -> None:
    day = LinkSlots()
    day.add_echo(3, 5, 1, 10_000, 100)
    day.add_echo(3, 5, 3, 30_000, 500)
    day.add_echo(3, 5, 0, None, None)

    assert (day.echo_sent[3], day.echo_received[3]) == (15, 4)
    assert (day.rtt_us[3], day.jitter_us[3]) == (25_000, 400)


@given(
    st.lists(
        st.tuples(st.integers(0, SLOTS - 1), st.integers(0, 2**64 - 1), st.integers(0, 330)),
        max_size=30,
    ),
    st.booleans(),
)
def test_what_is_packed_is_read_back(adds: list[tuple[int, int, int]], compress: bool) -> None:
    day = LinkSlots()
    for slot, octets, seconds in adds:
        day.add_traffic(slot, octets, octets // 2, seconds)
        day.add_state(slot, up=octets % 2 == 0)

    assert LinkSlots.unpack(day.pack(compress=compress)) == day


@given(st.integers(0, 2**SLOTS - 1), st.integers(0, 2**SLOTS - 1))
def test_presence_is_read_back(on: int, trusted: int) -> None:
    day = Presence(on, trusted)

    assert Presence.unpack(day.pack()) == day


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for read in (Presence.unpack, LinkSlots.unpack):
        try:
            read(data)
        except DaypackError as error:
            assert "day" in str(error)


def test_a_bomb_is_refused() -> None:
    bomb = bytes.fromhex("02012c0101") + zlib.compress(bytes(50_000_000))

    with pytest.raises(DaypackError, match="do not end"):
        LinkSlots.unpack(bomb)
