"""A crawl from one seed on through neighbours, MACs and addresses of real daemons and a real bridge.

Three networks of their own: here "near", its port ge1 plugged into port ge24 of "far", a Linux bridge, whose
port ge2 goes to "third". In each lldpd speaks below a real snmpd.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.collectors.assignment import Assignment, save_assignment
from kiemke.collectors.discover.task import SweepTask
from tests.support.peers import require_peer
from tests.support.tree import ROOT

LINKS = """
ip link set lo up
room() { unshare --net sh -e -c 'echo $$ > "$0"; exec sleep 300' "$PLACE/$1" > /dev/null 2>&1 &
  while [ ! -s "$PLACE/$1" ]; do sleep 0.02; done; }
in_room() { at="$(cat "$PLACE/$1")"; shift; nsenter -t "$at" -n "$@"; }
echo $$ > "$PLACE/near"
room far
room third
ip link add ge1 type veth peer name ge24 netns "$(cat "$PLACE/far")"
in_room far ip link add ge2 type veth peer name ge7 netns "$(cat "$PLACE/third")"
ip addr add 10.5.9.1/24 dev ge1
ip link set ge1 address 02:00:00:00:00:11 up
in_room far sh -e -c 'ip link add br0 type bridge; ip link set ge24 address 02:00:00:00:00:77
  ip link set ge2 address 02:00:00:00:00:78; ip link set br0 address 02:00:00:00:00:70
  for port in ge24 ge2; do ip link set $port master br0; ip link set $port up; done
  ip addr add 10.5.9.2/24 dev br0; ip link set br0 up; ip link set lo up; sysctl -qw net.ipv4.ip_forward=1'
in_room third sh -e -c 'ip link set ge7 address 02:00:00:00:00:99 up; ip link set lo up
  ip addr add 10.5.9.3/24 dev ge7; sysctl -qw net.ipv4.ip_forward=1'
# Said to nobody, so that the kernel asks whose address it is before snmpd looks.
for address in 10.5.9.2 10.5.9.3; do
  until ip neigh show "$address" | grep -q lladdr; do
    "$PYTHON" -c 'import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b"", (sys.argv[1], 9))' "$address"
    sleep 0.05
  done
done
for name in near far third; do
  in_room $name sh -c "SNMP_PERSISTENT_DIR='$PLACE' exec '$SNMPD' -f -Lf '$PLACE/$name.log' -C -c '$PLACE/$name.conf'" > /dev/null 2>&1 &
  while [ ! -S "$PLACE/$name.agentx" ]; do sleep 0.02; done
  in_room $name "$LLDPD" -d -u "$PLACE/$name.sock" -x -X "$PLACE/$name.agentx" -S "$name switch" -I 'ge*' > "$PLACE/$name.lldp" 2>&1 &
  # The first words may be spoken before the other end listens: they are said each second.
  until "$LLDPCLI" -u "$PLACE/$name.sock" configure lldp tx-interval 1 > /dev/null 2>&1; do sleep 0.05; done
done
timeout 200 "$@"
"""
# Crawls with the program's own command until all four ends have been heard; prints the last crawl.
CRAWL = """
import subprocess, sys, time
words = [sys.executable, "-m", "kiemke.collectors.main", "--state", sys.argv[1], "discover", "--crawl",
    "--seed", "10.5.9.1", "--credential", "lab", "--json"]
for _ in range(60):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.stdout.count('"protocol"') == 4:
        break
    time.sleep(1.0)
print(done.stdout, end="")
print(done.stderr, file=sys.stderr)
"""
BRIDGE = f"pass_persist .1.3.6.1.2.1.17 {sys.executable} {ROOT / 'tests' / 'support' / 'bridge_mib.py'}\n"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that daemons which give up their rights can reach, too."""
    # A daemon that is told to end may still write its last socket while the folder is taken away.
    with tempfile.TemporaryDirectory(prefix="kiemke-lldp-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.slow
def test_a_crawl_finds_what_real_daemons_and_a_real_bridge_tell(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: network namespaces are made for it")
    for name, address in (("near", "10.5.9.1"), ("far", "10.5.9.2"), ("third", "10.5.9.3")):
        (place / f"{name}.conf").write_text(
            f"agentAddress udp:{address}:161\nrocommunity lab\nmaster agentx\n"
            f"agentXSocket {place / name}.agentx\n" + (BRIDGE if name == "far" else "")
        )
    state = place / "state"
    state.mkdir(mode=0o700)
    save_assignment(state, Assignment(60.0, sweeps=(SweepTask(4, ("10.5.9.0/24",), (), 86_400.0),)))
    credentials = state / "credentials.toml"
    credentials.write_text('[lab]\nversion = "2c"\ncommunity = "lab"\n')
    credentials.chmod(0o600)
    tools = {
        "LLDPD": require_peer("lldpd"),
        "SNMPD": require_peer("snmpd"),
        "LLDPCLI": require_peer("lldpcli"),
        "PLACE": str(place),
        "PYTHON": sys.executable,
    }
    require_peer("bridge")
    # Processes of a space of their own: all end with the shell.
    spaces = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    shell = [require_peer("unshare"), *spaces, "sh", "-e", "-c", LINKS, "sh"]

    done = subprocess.run(
        [*shell, sys.executable, "-c", CRAWL, str(state)], capture_output=True, text=True,
        timeout=240, cwd=ROOT, env={**os.environ, **tools},
    )  # fmt: skip

    assert done.stdout, done.stderr + (place / "near.lldp").read_text()
    steps: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(step["address"], step["told_by"]) for step in steps] == [
        ("10.5.9.1", None), ("10.5.9.2", "10.5.9.1"), ("10.5.9.3", "10.5.9.2"),
    ], done.stderr  # fmt: skip
    near, far, third = (step["tables"] for step in steps)
    (beside,) = near["neighbours"]
    assert (beside["protocol"], beside["port"]) == ("lldp", "ge1")
    assert beside["description"] == "far switch"
    assert "10.5.9.2" in beside["addresses"]
    assert {each["port"]: each["description"] for each in far["neighbours"]} == {
        "ge24": "near switch", "ge2": "third switch",
    }  # fmt: skip
    (beyond,) = third["neighbours"]
    assert (beyond["port"], beyond["description"]) == ("ge7", "far switch")
    learned = {each["mac"]: each["port"] for each in far["stations"]}
    assert learned == {"02:00:00:00:00:11": "ge24", "02:00:00:00:00:99": "ge2"}
    known = {each["address"]: each["mac"] for each in near["addresses"]}
    assert known == {"10.5.9.2": "02:00:00:00:00:70", "10.5.9.3": "02:00:00:00:00:99"}
