"""What polling by SNMP costs: one device of 300 interfaces, and 2,000 switches in every minute.

``python -m bench.snmp``: processor time of one poll by each library, beside Debian's
prometheus-snmp-exporter asked for the same columns of the same device in the same run (where it is
installed); then 2,000 simulated switches of 24 ports polled each minute from one core.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.children import find_program, free_port
from bench.snmp_agents import COMMUNITY
from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.device_poll import DevicePoller
from kiemke.collectors.poll import Job, PollLoop, Work
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.interfaces import COUNTED, DESCRIPTIVE
from kiemke.wire.clocks import SystemClock
from kiemke.wire.codec import encode_report
from kiemke.wire.report import Body, Report
from kiemke.wire.secret import Secret

INTERFACES, SWITCHES, PORTS = 300, 2000, 24
POLLS = {"gufo": 20, "pysnmp": 3, "exporter": 20}
INTERVAL_SECONDS = 60.0
BACKENDS = ("gufo", "pysnmp")
CREDENTIALS = {"bench": Credential("bench", "2c", community=Secret(COMMUNITY))}
NAMES = {
    oids.IF_TYPE: "ifType", oids.IF_HC_IN_OCTETS: "ifHCInOctets",
    oids.IF_HC_OUT_OCTETS: "ifHCOutOctets", oids.IF_ADMIN_STATUS: "ifAdminStatus",
    oids.IF_OPER_STATUS: "ifOperStatus", oids.IF_IN_ERRORS: "ifInErrors",
    oids.IF_OUT_ERRORS: "ifOutErrors", oids.IF_IN_DISCARDS: "ifInDiscards",
    oids.IF_OUT_DISCARDS: "ifOutDiscards",
    oids.IF_COUNTER_DISCONTINUITY: "ifCounterDiscontinuityTime",
    oids.IF_LAST_CHANGE: "ifLastChange", oids.IF_SPEED: "ifSpeed",
    oids.IF_HIGH_SPEED: "ifHighSpeed", oids.DOT3_DUPLEX_STATUS: "dot3StatsDuplexStatus",
}  # fmt: skip
LABELS = {
    oids.IF_DESCR: ("ifDescr", "DisplayString"),
    oids.IF_NAME: ("ifName", "DisplayString"),
    oids.IF_ALIAS: ("ifAlias", "DisplayString"),
    oids.IF_PHYS_ADDRESS: ("ifPhysAddress", "PhysAddress48"),
}


@contextmanager
def agents(interfaces: int) -> Iterator[int]:
    """Yield the UDP port at which every address of 127/8 is a switch."""
    port = free_port()
    command = [sys.executable, "-m", "bench.snmp_agents", str(port), str(interfaces)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None and child.stdout.readline() == b"ready\n"
            yield port
        finally:
            child.kill()


class Sink:
    """Encodes every report, as a collector does before it keeps it."""

    def __init__(self) -> None:
        self.octets = 0
        self._clock = SystemClock.read()

    async def emit(self, kind: str, body: Body) -> None:
        """Take one body."""
        clock = self._clock
        at = (clock.boot_id, clock.now(), clock.uptime_seconds())
        self.octets += len(encode_report(Report(1, 1, *at, kind, body)))


async def measure_polls(port: int, backend: str) -> dict[str, float]:
    """Return the processor seconds of a first poll and of one that follows it."""
    engines = Engines(backend=backend)
    sink, task = Sink(), DeviceTask(1, "127.0.0.1", port, "bench")
    try:
        poller = DevicePoller(engines, CREDENTIALS)
        for _ in range(2):  # imports, engines, identification
            assert await poller.poll(task, 30.0, sink.emit) == "ok"
        spent = {}
        for name, keeps in (("names too", False), ("counters", True)):
            begun = time.process_time()
            for _ in range(POLLS[backend]):
                if not keeps:
                    poller.forget_names()
                assert await poller.poll(task, 30.0, sink.emit) == "ok"
            spent[name] = (time.process_time() - begun) / POLLS[backend]
        return spent
    finally:
        engines.close()


def exporter_module() -> str:
    """Return the exporter's configuration: the columns kiemke reads, names as labels."""
    lookups = [
        {"labels": ["ifIndex"], "labelname": name, "oid": oid, "type": kind}
        for oid, (name, kind) in LABELS.items()
    ]
    indexes = [{"labelname": "ifIndex", "type": "gauge"}]
    metrics: list[dict[str, Any]] = [
        {"name": name, "oid": oid, "type": "gauge", "help": name, "indexes": indexes,
         "lookups": lookups}
        for oid, name in NAMES.items()
    ]  # fmt: skip
    metrics.append({"name": "sysUpTime", "oid": "1.3.6.1.2.1.1.3", "type": "gauge", "help": "up"})
    module = {
        "walk": [*COUNTED, *DESCRIPTIVE],
        "get": [oids.SYS_UPTIME],
        "metrics": metrics,
        "auth": {"community": COMMUNITY},
        "max_repetitions": 25,
    }
    return json.dumps({"if_mib": module})  # JSON is YAML


def measure_exporter(port: int, program: str) -> float:
    """Return the processor seconds of one scrape of the same device."""
    web = free_port()
    with tempfile.TemporaryDirectory(prefix="kiemke-bench-snmp-") as folder:
        config = Path(folder) / "snmp.yml"
        config.write_text(exporter_module())
        command = [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{web}"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
            try:
                url = f"http://127.0.0.1:{web}/snmp?module=if_mib&target=127.0.0.1:{port}"
                text = _scrape(url)
                found = text.count("\nifHCInOctets{")
                assert found == INTERFACES, f"the exporter found {found} interfaces"
                begun = _cpu_seconds(child.pid)
                for _ in range(POLLS["exporter"]):
                    _scrape(url)
                return (_cpu_seconds(child.pid) - begun) / POLLS["exporter"]
            finally:
                child.kill()


def _scrape(url: str) -> str:
    until = time.monotonic() + 30.0
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30.0) as answer:  # noqa: S310  # our own
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure_fleet(port: int, backend: str, seconds: float) -> dict[str, float]:
    """Poll SWITCHES switches each minute for a while, from one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    engines, sink = Engines(backend=backend), Sink()
    poller = DevicePoller(engines, CREDENTIALS)
    worst: dict[str, int] = {}

    def work_of(task: DeviceTask) -> Work:
        async def work(budget_seconds: float) -> str:
            outcome = await poller.poll(task, budget_seconds, sink.emit)
            worst[outcome] = worst.get(outcome, 0) + 1
            return outcome

        return work

    async def no_bug(key: str, bug: BaseException) -> None:
        raise AssertionError(key) from bug

    loop = PollLoop(no_bug)
    jobs = {}
    for n in range(1, SWITCHES + 1):
        task = DeviceTask(n, f"127.1.{n >> 8}.{n & 0xFF}", port, "bench")
        jobs[f"device:{n}"] = Job(f"device:{n}", task, work_of(task))
    begun, cpu = time.monotonic(), time.process_time()
    await loop.assign(jobs, INTERVAL_SECONDS)
    await asyncio.sleep(seconds)
    turns = list(loop.turns.values())
    figures = {
        "seconds": time.monotonic() - begun,
        "cores": (time.process_time() - cpu) / (time.monotonic() - begun),
        "polls": sum(each.done for each in turns),
        "fewest": min(each.done for each in turns),
        "missed": sum(each.skipped for each in turns),
        "not_ok": sum(count for outcome, count in worst.items() if outcome != "ok"),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }
    await loop.close()
    engines.close()
    return figures


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.snmp", description=__doc__)
    parser.add_argument("--seconds", type=float, default=185.0, help="of each fleet (185)")
    parser.add_argument("--fleet", metavar="BACKEND", choices=BACKENDS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fleet:
        print(json.dumps(asyncio.run(measure_fleet(given.port, given.fleet, given.seconds))))
        return 0
    ours: dict[str, float] = {}
    with agents(INTERFACES) as port:
        for backend in BACKENDS:
            spent = asyncio.run(measure_polls(port, backend))
            ours[backend] = spent["names too"]
            for name, seconds in spent.items():
                print(
                    f"one poll of {INTERFACES} interfaces, {backend}, {name}: {seconds * 1e3:.1f} ms"
                )
        program = find_program("prometheus-snmp-exporter")
        if program is None:
            print("prometheus-snmp-exporter is not installed: apt install prometheus-snmp-exporter")
        else:
            seconds = measure_exporter(port, program)
            print(f"one scrape of the same by prometheus-snmp-exporter: {seconds * 1e3:.1f} ms")
            shares = ", ".join(f"{name} {each / seconds:.2f}" for name, each in ours.items())
            print(f"one poll with names, in scrapes: {shares} (wanted: gufo at most 0.50)")
    with agents(PORTS) as port:
        for backend in BACKENDS:
            command = [sys.executable, "-m", "bench.snmp", "--fleet", backend, "--port", str(port)]
            command += ["--seconds", str(given.seconds)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found = json.loads(said)
            print(
                f"{SWITCHES} switches of {PORTS} ports each minute, {backend}: {found['polls']:.0f} "
                f"polls in {found['seconds']:.0f} s, {found['missed']:.0f} missed, "
                f"{found['not_ok']:.0f} not ok, {found['cores']:.2f} cores, "
                f"{found['peak_mb']:.0f} MB at most (wanted: none missed, 250 MB)"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
