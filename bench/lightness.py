"""How light the agent is, beside the agents Debian has: `python -m bench.lightness`.

All of it in one run on one machine: resident memory while they run, processor time and peak memory of a
full inventory, the start, the bytes of an ordinary post, and what is forced to the disk for it. The agent
is the packaged one, run by the system's own Python. What is not installed is left out and named.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.children import Children, clean_environment, find_program, free_port, run_once
from bench.district import District, Unit
from bench.https import Pool
from bench.papers import write_papers
from bench.resident import MEBIBYTE, Held, held
from bench.server import Api, Server, start_server
from packages import debian

CHILD = Path(__file__).with_name("lightness_agent.py")
SETTLE_SECONDS = 20.0
SCRAPES = 20
RUNS = 3
STARTS = 9
MARK = "getpgid"


@dataclass(slots=True)
class Counted:
    """A TCP proxy that counts what passes each way."""

    to_port: int
    up: int = 0
    down: int = 0
    port: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def start(self) -> None:
        """Take connections in a thread until the process ends."""
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self.to_port))
            threading.Thread(target=self._copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, False), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        try:
            while data := source.recv(65536):
                if up:
                    self.up += len(data)
                else:
                    self.down += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # an end was closed


@dataclass(frozen=True, slots=True)
class Once:
    """What one run of a program took."""

    cpu_seconds: float
    peak_bytes: int


def run_measured(command: list[str], env: dict[str, str] | None = None) -> Once:
    """Return the least processor time (children too) and the peak of a few runs. Source: wait4(2)."""
    found = []
    for _ in range(RUNS):
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=env,
        ) as process:  # fmt: skip
            _, _, used = os.wait4(process.pid, 0)
            process.returncode = 0
        found.append(Once(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024))
    return min(found, key=lambda one: one.cpu_seconds)


def lay_out(folder: Path) -> tuple[list[str], Path]:
    """Return the command of the packaged agent and the tree its package puts on a PC."""
    root = folder / "root"
    debian.lay_out(root)
    tree = root / debian.HOME
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"],
                      check=False, capture_output=True).returncode:  # fmt: skip
        python = sys.executable
    subprocess.run([python, "-m", "compileall", "-q", str(tree)], check=True)
    return [python, "-IS", str(root / "usr" / "bin" / "kiemke-agent")], tree


def start_peers(children: Children, folder: Path) -> dict[str, int]:
    """Start the daemons Debian has; return name -> pid of those that are installed."""
    found: dict[str, int] = {}
    if program := find_program("prometheus-node-exporter"):
        port = free_port()
        found["node_exporter"] = children.start(
            "node_exporter", [program, "--web.listen-address", f"127.0.0.1:{port}"]
        ).pid
        children.wait_until(lambda: _scrape(port), "node_exporter answers")
        for _ in range(SCRAPES):
            _scrape(port)
    if program := find_program("zabbix_agent2"):
        conf = folder / "zabbix.conf"
        conf.write_text(
            f"LogType=console\nServer=127.0.0.1\nListenIP=127.0.0.1\nListenPort={_low_port()}\n"
            f"Hostname=bench\nPidFile={folder}/z.pid\nControlSocket={folder}/z.sock\n"
            f"PluginSocket={folder}/p.sock\n"
        )
        found["zabbix_agent2"] = children.start("zabbix", [program, "-c", str(conf)]).pid
    return found


def _low_port() -> int:
    """Return a free port below 32768: zabbix_agent2 takes no other."""
    for port in range(21_000, 32_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port from 21000 to 32000 is free")


def _scrape(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return bool(answer.read())
    except OSError:
        return False


def inventories(folder: Path) -> dict[str, Once]:
    """Return what a full inventory costs the agents Debian has, of those that are installed."""
    found: dict[str, Once] = {}
    if program := find_program("fusioninventory-inventory"):
        found["fusioninventory"] = run_measured([program])
    if program := find_program("ocsinventory-agent"):
        local = folder / "ocs"
        local.mkdir()
        found["ocsinventory"] = run_measured(
            [program, "--local", str(local), "--basevardir", str(local)]
        )
    return found


def work(command: list[str], proxy: Counted) -> tuple[dict[str, float], list[tuple[int, int]]]:
    """Run the child; return what it tells, and the bytes up and down of each post."""
    posts: list[tuple[int, int]] = []
    before = (0, 0)
    told: dict[str, float] = {}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            if said.get("post") == "before":
                before = (proxy.up, proxy.down)
            elif said.get("post") == "after":
                time.sleep(0.05)  # the answer's last record may still be on its way
                posts.append((proxy.up - before[0], proxy.down - before[1]))
            else:
                told = said
            process.stdin.write("\n")
            process.stdin.flush()
    return told, posts


def syncs_a_post(command: list[str], proxy: Counted, folder: Path) -> float | None:
    """Return how often five samples and their post force the disk, None without strace."""
    strace = find_program("strace")
    if strace is None:
        return None
    trace = folder / "trace"
    calls = f"trace=fsync,fdatasync,sync_file_range,msync,{MARK}"
    work([strace, "-f", "-q", "-e", calls, "-o", str(trace), *command], proxy)
    counts: list[int] = []
    for line in trace.read_text().splitlines():
        if MARK in line:
            counts.append(0)
        elif counts and "(" in line and "resumed" not in line:
            counts[-1] += 1
    return statistics.mean(counts[:-1])


async def _enrol(agent: list[str], server: Server, folder: Path, state: Path) -> None:
    """Make a unit and enrol the agent in it."""
    async with Pool(server.address, server.pins, 2) as pool:
        api = Api(pool, server)
        await api.login()
        district = District((Unit("BENCH", "Đơn vị", "phong", None),), (), (), (), (), (), ())
        papers = write_papers(district, folder / "papers", only=("units",))
        await api.import_file("units", papers["units"], apply=True)
        pasted, _ = await api.make_enrolment_token("BENCH", "agent", 1, approves=True)
    run_once([*agent, "enroll", "--state", str(state), pasted], clean_environment())


def measure(folder: Path, table: Table) -> None:
    """Fill the table. Raises ChildError, ApiError or HttpError."""
    children = Children(folder / "logs")
    state = folder / "agent"
    try:
        agent, tree = lay_out(folder)
        # In this thread: a child ends with the thread that started it.
        server = start_server(children, folder / "server", demo=True)
        asyncio.run(_enrol(agent, server, folder, state))
        proxy = Counted(server.address.port)
        proxy.start()
        starts = []
        for _ in range(STARTS):
            began = time.perf_counter()
            subprocess.run(
                [*agent, "status", "--state", str(state)], capture_output=True, check=False
            )
            starts.append(time.perf_counter() - began)
        begun = run_measured([*agent, "status", "--state", str(state)])
        child = [agent[0], "-IS", str(CHILD), str(tree), str(state), str(proxy.port)]
        told, posts = work(child, proxy)
        syncs = syncs_a_post(child, proxy, folder)
        pid = children.start(
            "agent", [*agent, "run", "--state", str(state), "--spread", "1"], clean_environment()
        ).pid
        peers = start_peers(children, folder)
        time.sleep(SETTLE_SECONDS)
        children.check()
        mine = held(pid)
        others = {name: held(number) for name, number in peers.items()}
        whole = run_measured([*agent, "inventory", "--state", str(state)])
        costs = inventories(folder)
    finally:
        children.end()
    _show(table, mine, others, whole, costs)
    up, down = (statistics.median(column) for column in zip(*posts, strict=True))
    table.add_row(
        "processor time of a sample", f"{told['cpu_seconds_a_sample'] * 1e3:.2f} ms", "≤ 5 ms"
    )
    # An hour is twelve rounds of five samples and a post, as the agent really does them but without its waits;
    # the inventory is read once a day by a child.
    hour = 12 * told["cpu_seconds_a_round"] + whole.cpu_seconds / 24
    table.add_row(
        "processor, mean of an hour", f"{hour / 3600:.4%} of a core ({hour:.2f} s)", "≤ 0.05 %"
    )
    table.add_row("start (status)", f"{statistics.median(starts):.3f} s", "≤ 0.2 s")
    table.add_row("  its processor time", f"{begun.cpu_seconds:.3f} s", "")
    table.add_row("post of five samples, sent", f"{up:.0f} bytes, {down:.0f} back", "≤ 800")
    table.add_row("full inventory, gzip", f"{told['inventory_gzip_bytes'] / 1e3:.1f} kB", "≤ 30 kB")
    forced = "strace is not installed" if syncs is None else f"{syncs:.1f}"
    table.add_row("forced disk writes a post", forced, "≤ 1")


def _show(
    table: Table, mine: Held, others: dict[str, Held], whole: Once, costs: dict[str, Once]
) -> None:
    table.add_row("resident memory / shared divided / own", str(mine), "≤ 24 MB")
    table.add_row("  the most it ever had", f"{mine.peak / MEBIBYTE:.1f} MiB", "")
    for name, size in others.items():
        wanted = "≤ 1" if name == "node_exporter" else ""
        share = f"{mine.resident / size.resident:.2f} of it (own {mine.own / size.own:.2f})"
        table.add_row(f"  {name} {size}", share, wanted)
    table.add_row(
        "full inventory", f"{whole.cpu_seconds:.2f} s processor, {whole.peak_bytes / MEBIBYTE:.1f} MiB peak",
        "≤ 40 MB",
    )  # fmt: skip
    for name, cost in costs.items():
        wanted = "≤ 0.5" if name == "fusioninventory" else ""
        table.add_row(
            f"  {name} {cost.cpu_seconds:.2f} s, {cost.peak_bytes / MEBIBYTE:.1f} MiB",
            f"{whole.cpu_seconds / cost.cpu_seconds:.2f} of its processor time", wanted,
        )  # fmt: skip
    for name in ("node_exporter", "zabbix_agent2", "fusioninventory", "ocsinventory"):
        if name not in others and name not in costs:
            table.add_row(f"  {name}", "not installed", "")


def main() -> int:
    """Measure and print."""
    argparse.ArgumentParser(prog="python -m bench.lightness", description=__doc__).parse_args()
    table = Table("what", "figure", "wanted", box=None, pad_edge=False)
    folder = Path(tempfile.mkdtemp(prefix="kiemke-lightness-"))
    try:
        measure(folder, table)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    Console(highlight=False).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
