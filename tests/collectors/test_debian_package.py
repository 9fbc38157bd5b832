"""The collector's unit: how little a service may do that polls, probes and relays."""

import subprocess

from packages import debian_collector
from tests.support.peers import require_peer

MOST_EXPOSURE = 1.1  # 0 is a service that may do nothing, 10 one that may do all


def test_the_service_may_do_next_to_nothing() -> None:
    done = subprocess.run(
        [require_peer("systemd-analyze"), "security", "--offline=true",
         f"--threshold={MOST_EXPOSURE * 10:.0f}", str(debian_collector.UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-300:]
    unit = debian_collector.UNIT.read_text("utf-8")
    assert "\nUser=kiemke-collector\n" in unit and "\nCapabilityBoundingSet=\n" in unit
