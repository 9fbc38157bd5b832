"""Pings over IPv6: on Linux by the real kernel, on Windows by the bytes that pass to and fro."""

import struct

from kiemke.collectors.reachability import icmp
from kiemke.wire.windows_echo import V4, V6, read_answer, sockaddr_v6


async def test_a_loopback_of_ipv6_answers_and_an_address_without_a_way_is_unknown() -> None:
    found = await icmp.probe(7, "::1", 2)

    if found.detail is None or "no right" not in found.detail:
        assert (found.sent, found.received) == (2, 2), found.detail


def test_an_ipv6_address_is_said_as_windows_wants_it() -> None:
    """Family 23, no port, no flow, the address, the scope: sockaddr_in6 of ws2ipdef.h."""
    said = sockaddr_v6("fe80::1%7")

    assert said == b"\x17\x00" + bytes(6) + b"\xfe\x80" + bytes(13) + b"\x01" + b"\x07\x00\x00\x00"
    assert sockaddr_v6("::") == b"\x17\x00" + bytes(26)


def test_an_answer_of_either_kind_is_read_where_its_numbers_stand() -> None:
    """ICMPV6_ECHO_REPLY begins with 26 packed bytes, then two numbers on their own boundaries."""
    six = bytes(26) + b"\xee\xee" + struct.pack("<II", 0, 12)
    four = bytes(4) + struct.pack("<II", 0, 3)

    assert (read_answer(six, V6), read_answer(four, V4)) == (0.012, 0.003)
    assert read_answer(bytes(28) + struct.pack("<II", 11_003, 12), V6) is None, "unreachable"
