"""ICMP echo, on the wire."""

import json
import os
import subprocess
import sys
import time

import icmplib
import pytest

from kiemke.collectors.reachability import icmp
from kiemke.wire.echo import summarise
from kiemke.wire.report import Reachability
from tests.support.peers import require_peer

# A link of our own in a network of our own. The neighbour is fixed, so that packets really leave
# and nobody says "no such host"; beyond the link there is no route at all.
LINK = """
ip link set lo up
ip link add near type veth peer name far
ip addr add 198.51.100.1/30 dev near
ip link set near up
ip link set far up
ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:99 dev near
exec "$@"
"""
PROBE = """
import asyncio, dataclasses, json, sys
from kiemke.collectors.reachability import icmp
from kiemke.wire.echo import summarise
found = asyncio.run(icmp.probe(6, sys.argv[1], 2, budget_seconds=1.0))
print(json.dumps(dataclasses.asdict(found)))
"""


def probe_in_own_network(address: str) -> Reachability:
    """Probe from a network that holds one link with nobody at its far end."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a network namespace is made for it")
    shell = [require_peer("unshare"), "--net", "sh", "-e", "-c", LINK, "sh"]
    done = subprocess.run(
        [*shell, sys.executable, "-c", PROBE, address], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return Reachability(**json.loads(done.stdout))


def skip_without_permission(detail: str | None) -> None:
    """Skip where neither the kernel nor root lets us ping."""
    if detail == icmp.NO_PERMISSION:
        pytest.skip("no right to send ICMP here")


async def test_loopback_answers_every_request() -> None:
    began = time.monotonic()
    found = await icmp.probe(5, "127.0.0.1", 3)
    took_seconds = time.monotonic() - began

    skip_without_permission(found.detail)
    assert (found.target, found.sent, found.received, found.detail) == (5, 3, 3, None)
    assert found.rtt_min_seconds is not None and found.rtt_max_seconds is not None
    assert found.rtt_avg_seconds is not None and found.jitter_seconds is not None
    assert 0 < found.rtt_min_seconds <= found.rtt_avg_seconds <= found.rtt_max_seconds
    assert 3 * found.rtt_avg_seconds < took_seconds
    assert found.jitter_seconds <= found.rtt_max_seconds - found.rtt_min_seconds


def test_silence_is_down_and_not_unknown() -> None:
    found = probe_in_own_network("198.51.100.2")

    assert (found.sent, found.received) == (2, 0)
    assert found.rtt_avg_seconds is None and found.jitter_seconds is None
    assert found.detail is None


def test_an_address_without_route_is_unknown_and_not_down() -> None:
    """The collector's own line is down then; the target may be well."""
    found = probe_in_own_network("203.0.113.9")

    assert (found.sent, found.received) == (0, 0)
    assert found.detail is not None and "route" in found.detail


async def test_without_the_right_to_ping_the_target_is_unknown_and_told_how(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refused(address: str, *, privileged: bool, **_: object) -> None:
        raise icmplib.SocketPermissionError(privileged)

    monkeypatch.setattr(icmp, "async_ping", refused)

    found = await icmp.probe(8, "127.0.0.1", 3)

    assert (found.sent, found.received) == (0, 0)
    assert found.detail is not None and "net.ipv4.ping_group_range" in found.detail


def test_jitter_is_the_mean_step_between_consecutive_round_trips() -> None:
    found = summarise(1, 4, [0.010, 0.014, 0.011, 0.011])

    assert found.jitter_seconds == pytest.approx((0.004 + 0.003 + 0.0) / 3)
    assert found.rtt_avg_seconds == pytest.approx(0.0115)
    assert (found.sent, found.received) == (4, 4)


def test_one_round_trip_has_no_jitter() -> None:
    found = summarise(1, 5, [0.02])

    assert (found.rtt_min_seconds, found.rtt_max_seconds) == (0.02, 0.02)
    assert found.jitter_seconds is None
