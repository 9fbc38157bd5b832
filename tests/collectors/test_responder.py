"""The responder that serves this machine, read by our own reader and by net-snmp's tools."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kiemke.collectors.snmp.machine import MachineView, read_counters
from kiemke.collectors.snmp.responder import main
from tests.support.peers import end_process, free_port, require_peer, sys_uptime_request, wait_until
from tests.support.snmp_agents import COMMUNITY, serving
from tests.support.snmp_polls import polling, v2c


async def test_it_serves_this_machines_true_counters() -> None:
    before = read_counters(Path("/proc/net/dev").read_text())
    async with serving(MachineView()) as port, polling(v2c(COMMUNITY)) as polled:
        device, found = await polled.poll(port)
    after = read_counters(Path("/proc/net/dev").read_text())

    assert device.outcome == "ok" and device.sys_name == socket.gethostname()
    assert found is not None and found.outcome == "ok"
    rows = {row.name: row for row in found.rows}
    assert set(before) & set(after) <= set(rows)
    for name in set(before) & set(after):
        counted = rows[name].in_octets
        assert counted is not None and before[name][0] <= counted <= after[name][0]
    assert rows["lo"].type == 24 and rows["lo"].oper_up is True


def test_as_a_program_it_answers_net_snmp_and_ends_on_sigterm() -> None:
    walk, port = require_peer("snmpbulkwalk"), free_port(socket.SOCK_DGRAM)
    process = subprocess.Popen(
        [sys.executable, "-m", "kiemke.collectors.snmp.responder"]
        + ["--port", str(port), "--community", "demo"]
    )

    def is_answering() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect(("127.0.0.1", port))
                probe.send(sys_uptime_request("demo"))
                return bool(probe.recv(1500))
            except OSError:
                return False

    try:
        wait_until(is_answering, "the responder answers")
        walked = subprocess.run(
            [walk, "-v2c", "-c", "demo", "-On", f"127.0.0.1:{port}", "1.3.6.1.2.1"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    finally:
        end_process(process, signal.SIGTERM)

    assert walked.returncode == 0, walked.stderr
    names = re.findall(
        r"^\.1\.3\.6\.1\.2\.1\.31\.1\.1\.1\.1\.\d+ = STRING: \"(.+)\"", walked.stdout, re.M
    )
    assert set(names) == set(read_counters(Path("/proc/net/dev").read_text()))
    assert process.returncode == 0


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        with pytest.raises(SystemExit) as ended:
            main(["--port", str(port)])

    assert ended.value.code == 1
    assert "choose --port" in capsys.readouterr().err
