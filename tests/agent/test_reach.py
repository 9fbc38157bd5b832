"""One ping to the gateway, one to the server, and nothing to anybody else."""

import struct
from pathlib import Path

import pytest

from kiemke.agent.sensors import reach, vital_linux
from kiemke.agent.sensors.sampler import Sampler
from kiemke.wire.clocks import SystemClock
from kiemke.wire.report import Reach

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def test_the_checksum_of_a_request_sums_to_all_ones() -> None:
    """RFC 792: the ones' complement sum over the whole message, checksum included."""
    packet = reach.request(0xBEEF, 1)
    total = sum(struct.unpack(f"!{len(packet) // 2}H", packet))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)

    assert total == 0xFFFF


@pytest.mark.parametrize(
    ("packet", "number", "answers"),
    [
        (reach.HEAD.pack(0, 0, 0, 7, 1), 7, True),
        (reach.HEAD.pack(0, 0, 0, 9, 1), 7, False),  # another program's
        (reach.HEAD.pack(0, 0, 0, 9, 1), None, True),  # the kernel's own number
        (reach.HEAD.pack(8, 0, 0, 7, 1), 7, False),  # our own request, on loopback
        (b"\x45" + bytes(19) + reach.HEAD.pack(0, 0, 0, 7, 1), 7, True),
        (b"\x4f" + bytes(19), 7, False),
        (b"", 7, False),
    ],
)
def test_only_the_answer_to_our_request_counts(
    packet: bytes, number: int | None, answers: bool
) -> None:
    assert reach.is_answer(packet, number, 1) is answers


def test_loopback_answers_where_pings_may_be_sent() -> None:
    found = reach.ping({"server": "127.0.0.1"})
    if not found:
        pytest.skip("this account may send no ping")

    assert (found[0].target, found[0].sent, found[0].received) == ("server", 1, 1)
    assert found[0].rtt_seconds is not None and 0 <= found[0].rtt_seconds < 1


def test_the_gateway_is_the_default_route_with_the_least_metric(tmp_path: Path) -> None:
    routes = tmp_path / "route"
    routes.write_text(
        HEAD
        + "eth0\t00000000\t0102010A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
        + "wlan0\t00000000\t0101010A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        + "eth0\t0002010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        + "odd line\n"
    )

    assert reach.gateway(routes) == "10.1.2.1"
    assert reach.gateway(tmp_path / "none") is None


def test_an_address_of_ipv6_and_an_unknown_one_are_not_pinged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(reach, "gateway", lambda: "10.1.2.1")

    def ping(targets: dict[str, str]) -> list[Reach]:
        asked.append(targets)
        return []

    monkeypatch.setattr(reach, "ping", ping)

    assert reach.measure("fd00::1") is None
    assert reach.measure(None) is None
    assert asked == [{"gateway": "10.1.2.1"}] * 2


def test_every_fifth_sample_tells_disks_and_pings_and_one_an_hour_the_room() -> None:
    """Five samples are a post: it must stay small."""
    sampler = Sampler(SystemClock.read())
    answers = [0.001, None, 0.003, 0.002, None, 0.002]
    samples = [
        sampler.take(None, reach=(Reach("server", 1, 0 if rtt is None else 1, rtt),))
        for rtt in answers
    ]

    assert [one.volumes is not None for one in samples] == [True, *[False] * 5]
    assert [one.disk_read_bytes is not None for one in samples] == [True, *[False] * 4, True]
    assert samples[0].reach == (Reach("server", 1, 1, 0.001),)
    assert samples[5].reach == (Reach("server", 5, 3, 0.002333),), "no ping is lost or told twice"
    assert [one.reach for one in samples[1:5]] == [None] * 4


def test_without_pings_nothing_is_said_of_the_line() -> None:
    assert Sampler(SystemClock.read()).take(None).reach is None


def test_disk_traffic_counts_disks_and_not_their_partitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vital_linux, "PROC", tmp_path)
    monkeypatch.setattr(vital_linux, "BLOCK", tmp_path / "block")
    for name in ("sda", "dm-0"):
        (tmp_path / "block" / name).mkdir(parents=True)
    rows = ("8 0 sda 1 0 100 0 1 0 7 0", "8 1 sda1 1 0 90 0 1 0 6 0", "254 0 dm-0 1 0 90 0 1 0 6 0")
    (tmp_path / "diskstats").write_text("\n".join(f"{row} 0 0 0" for row in rows))

    found = vital_linux.read_disk_bytes()
    assert (found.read, found.written) == (100 * 512, 7 * 512)
