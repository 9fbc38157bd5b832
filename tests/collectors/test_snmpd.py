"""A real net-snmp agent, polled by v2c and by v3."""

import socket
from collections.abc import Callable
from pathlib import Path

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.snmp.machine import read_counters
from kiemke.wire.report import Device, Interfaces
from tests.support.peers import SnmpdPeer, free_port
from tests.support.snmp_polls import polling, v2c, v3

MakeSnmpd = Callable[..., SnmpdPeer]


def kernel_counters() -> dict[str, tuple[int, int]]:
    """Return (received, transmitted) octets by interface as the kernel has them now."""
    rows = read_counters(Path("/proc/net/dev").read_text())
    return {name: (row[0], row[8]) for name, row in rows.items()}


async def test_a_v2c_poll_gives_the_system_group_as_configured(snmpd: MakeSnmpd) -> None:
    peer = snmpd("sysName sw-tan-minh\nsysLocation Trụ sở UBND, tầng 2\n")

    async with polling(v2c(peer.community)) as polled:
        device, _ = await polled.poll(peer.port)

    assert (device.outcome, device.detail) == ("ok", None)
    assert device.sys_name == "sw-tan-minh"
    assert device.sys_location == "Trụ sở UBND, tầng 2"
    assert device.sys_object_id == "1.3.6.1.4.1.8072.3.2.10"
    assert device.sys_uptime_seconds is not None and 0 <= device.sys_uptime_seconds < 60


async def test_counters_are_those_of_the_kernel(snmpd: MakeSnmpd) -> None:
    """Raw counters travel: between the kernel's figure before the poll and the one after it."""
    before = kernel_counters()
    peer = snmpd()

    async with polling(v2c(peer.community)) as polled:
        _, found = await polled.poll(peer.port)
    after = kernel_counters()

    assert found is not None and found.outcome == "ok"
    rows = {row.name: row for row in found.rows}
    assert set(before) & set(after) <= set(rows)
    for name in set(before) & set(after):
        row = rows[name]
        assert row.counter_bits == 64
        assert row.in_octets is not None and row.out_octets is not None
        assert before[name][0] <= row.in_octets <= after[name][0]
        assert before[name][1] <= row.out_octets <= after[name][1]


async def test_v3_with_sha256_and_aes128_reads_the_same_ports_as_v2c(snmpd: MakeSnmpd) -> None:
    peer = snmpd()

    async with polling(v2c(peer.community), v3(peer)) as polled:
        _, plain = await polled.poll(peer.port, "default")
        _, private = await polled.poll(peer.port, "core")

    assert plain is not None and private is not None
    assert private.outcome == "ok"
    assert [(r.index, r.name, r.mac) for r in private.rows] == [
        (r.index, r.name, r.mac) for r in plain.rows
    ]


async def test_older_keys_are_spoken_too(snmpd: MakeSnmpd) -> None:
    """Old switches know MD5 and SHA-1 with DES or AES only."""
    peer = snmpd(
        'createUser old MD5 "old-auth-key" DES "old-priv-key"\nrouser old authpriv\n'
        'createUser mid SHA "mid-auth-key" AES "mid-priv-key"\nrouser mid authpriv\n'
        'createUser half SHA-512 "half-auth-key"\nrouser half authnopriv\n'
    )
    old = {"auth_key": "old-auth-key", "privacy_key": "old-priv-key", "privacy_protocol": "DES"}
    mid = {"auth_key": "mid-auth-key", "privacy_key": "mid-priv-key", "auth_protocol": "SHA1"}

    async with polling(
        v3(peer, "a", user="old", auth_protocol="MD5", **old), v3(peer, "b", user="mid", **mid)
    ) as polled:
        one, _ = await polled.poll(peer.port, "a")
        two, _ = await polled.poll(peer.port, "b")

    assert (one.outcome, one.detail) == ("ok", None)
    assert (two.outcome, two.detail) == ("ok", None)


async def test_a_wrong_community_is_a_timeout_that_says_so(snmpd: MakeSnmpd) -> None:
    """A v2c agent is silent to a wrong community, so the two cannot be told apart."""
    peer = snmpd()

    async with polling(v2c("not-the-community"), attempt_seconds=0.3) as polled:
        device, found = await polled.poll(peer.port)

    assert device.outcome == "timeout"
    assert device.detail is not None and "community not accepted" in device.detail
    assert "not-the-community" not in device.detail
    assert device.sys_uptime_seconds is None and found is None


async def test_a_wrong_v3_key_or_user_is_refused_and_a_wrong_privacy_key_is_silence(
    snmpd: MakeSnmpd,
) -> None:
    peer = snmpd()

    async with polling(
        v3(peer, "key", auth_key="wrong-auth-key"),
        v3(peer, "user", user="nobody-here"),
        v3(peer, "privacy", privacy_key="wrong-priv-key"),
        attempt_seconds=1.5,
    ) as polled:
        outcomes = {
            name: (await polled.poll(peer.port, name))[0] for name in ("key", "user", "privacy")
        }

    assert outcomes["key"].outcome == "auth"
    assert outcomes["user"].outcome == "auth"
    assert outcomes["privacy"].outcome == "timeout"
    assert "privacy key" in str(outcomes["privacy"].detail)
    assert "wrong-" not in str(outcomes)


async def test_two_credentials_may_share_a_v3_user_name(snmpd: MakeSnmpd) -> None:
    """Two sites often have the same user with different keys; one must not unlearn the other."""
    one, two = snmpd(), snmpd(auth_key="second-auth-key", priv_key="second-priv-key")

    async with polling(v3(one, "north"), v3(two, "south")) as polled:
        outcomes = [
            (await polled.poll(peer.port, name))[0].outcome
            for peer, name in ((one, "north"), (two, "south"), (one, "north"), (two, "south"))
        ]

    assert outcomes == ["ok", "ok", "ok", "ok"]


async def test_a_restarted_v3_agent_is_read_again(snmpd: MakeSnmpd) -> None:
    """Its engine boots went up: the time window is learned anew, not held against it."""
    peer = snmpd("engineID kiemke-test\n")

    async with polling(v3(peer)) as polled:
        first, _ = await polled.poll(peer.port, "core")
        peer.restart()
        second, found = await polled.poll(peer.port, "core")

    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert found is not None and found.outcome == "ok"


async def test_ipv6_is_spoken(snmpd: MakeSnmpd) -> None:
    port = free_port(socket.SOCK_DGRAM)
    peer = snmpd(f"agentaddress udp6:[::1]:{port}\nrocommunity6 six-read ::1\n")
    emitted: list[Device | Interfaces] = []

    async def emit(kind: str, body: Device | Interfaces) -> None:
        emitted.append(body)

    async with polling(v2c("six-read")) as polled:
        outcome = await polled.poller.poll(DeviceTask(1, "::1", port, "default"), 20.0, emit)

    assert peer.process is not None and peer.process.poll() is None
    assert outcome == "ok"
    assert isinstance(emitted[1], Interfaces) and emitted[1].rows


async def test_a_credential_that_is_not_here_is_told_by_name(snmpd: MakeSnmpd) -> None:
    async with polling(v2c("whatever")) as polled:
        device, found = await polled.poll(1, "core-routers")

    assert device.outcome == "error" and found is None
    assert device.detail is not None and '"core-routers"' in device.detail
