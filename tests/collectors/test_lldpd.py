"""Neighbours as real daemons tell them: lldpd at both ends of a link, read through a real snmpd."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.peers import require_peer
from tests.support.tree import ROOT

# Here the switch: snmpd with lldpd below it; in a network of its own at the far end another lldpd.
LINK = """
ip link set lo up
ip link add ge1 type veth peer name ge24
ip link set ge1 up
unshare --net sh -e -c 'echo $$ > "$0"; exec sleep 120' "$PLACE/pid" > /dev/null 2>&1 &
while [ ! -s "$PLACE/pid" ]; do sleep 0.02; done
far="$(cat "$PLACE/pid")"
ip link set ge24 netns "$far"
nsenter -t "$far" -n ip link set ge24 address 02:00:00:00:00:77 up
nsenter -t "$far" -n ip addr add 10.5.9.2/24 dev ge24
SNMP_PERSISTENT_DIR="$PLACE" "$SNMPD" -f -Lf "$PLACE/snmpd.log" -C -c "$PLACE/snmpd.conf" > /dev/null 2>&1 &
snmpd=$!
while [ ! -S "$PLACE/agentx" ]; do sleep 0.02; done
"$LLDPD" -d -u "$PLACE/near.sock" -x -X "$PLACE/agentx" -S "near switch" -I ge1 > "$PLACE/near.log" 2>&1 &
near=$!
nsenter -t "$far" -n "$LLDPD" -d -u "$PLACE/far.sock" -S "far switch" -I ge24 -C ge24 > "$PLACE/far.log" 2>&1 &
other=$!
# The first words of the far end may be spoken before the near one listens: it says them each second.
until "$LLDPCLI" -u "$PLACE/far.sock" configure lldp tx-interval 1 > /dev/null 2>&1; do sleep 0.05; done
status=0
timeout 90 "$@" || status=$?
kill $snmpd $near $other $far || true
exit $status
"""
READ = """
import asyncio, dataclasses, json, sys
from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover.visits import TableVisits
from kiemke.collectors.snmp.engines import Engines
from tests.support.snmp_polls import v2c

async def main():
    task = DeviceTask(7, "127.0.0.1", 11161, "default")
    for _ in range(600):
        # Each time as if for the first: what a device lacks, before lldpd has joined snmpd, is remembered.
        engines = Engines()
        found = await TableVisits(engines, {}, 900.0).read(task, v2c("lab"), Deadline(5))
        engines.close()
        if found.neighbours:
            break
        await asyncio.sleep(0.1)
    print(json.dumps(dataclasses.asdict(found)))

asyncio.run(main())
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that daemons which give up their rights can reach, too."""
    # A daemon that is told to end may still write its last socket while the folder is taken away.
    with tempfile.TemporaryDirectory(prefix="kiemke-lldp-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_neighbour_that_lldpd_heard_is_told_as_it_is(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: network namespaces are made for it")
    (place / "snmpd.conf").write_text(
        "agentAddress udp:127.0.0.1:11161\nrocommunity lab 127.0.0.1\nmaster agentx\n"
        f"agentXSocket {place / 'agentx'}\n"
    )
    tools = {
        "LLDPD": require_peer("lldpd"),
        "SNMPD": require_peer("snmpd"),
        "LLDPCLI": require_peer("lldpcli"),
        "PLACE": str(place),
    }
    shell = [require_peer("unshare"), "--net", "--mount", "sh", "-e", "-c", LINK, "sh"]

    done = subprocess.run(
        [*shell, sys.executable, "-c", READ], capture_output=True, text=True, timeout=120, cwd=ROOT,
        env={**os.environ, **tools},
    )  # fmt: skip

    assert done.stdout, done.stderr + (place / "near.log").read_text()
    found: dict[str, Any] = json.loads(done.stdout)
    (beside,) = found["neighbours"]
    assert (beside["protocol"], beside["port"]) == ("lldp", "ge1")
    assert (beside["chassis_kind"], beside["chassis"]) == ("mac", "02:00:00:00:00:77")
    assert beside["far_port"] in ("02:00:00:00:00:77", "ge24")
    assert beside["description"] == "far switch"
    assert "10.5.9.2" in beside["addresses"]
