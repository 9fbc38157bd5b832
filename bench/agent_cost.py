"""What the agent costs an office PC: its resident memory while it runs, and how fast it starts."""

import asyncio
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.children import Children, clean_environment, program, run_once
from bench.district import District, Unit
from bench.https import Pool
from bench.papers import write_papers
from bench.server import Api, start_server

STARTS = 7
SETTLE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class AgentCost:
    """Resident and peak memory of a running, reporting agent, and the median start."""

    rss_bytes: int
    peak_rss_bytes: int
    start_seconds: float


def _memory(pid: int) -> tuple[int, int]:
    """Return (VmRSS, VmHWM) of a process, bytes. Source: proc(5) status."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]  # two names, two numbers


def _start_seconds(state: Path) -> float:
    """Return the median time of `kiemke-agent status`, from the start to the end."""
    times = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run(
            [program("kiemke-agent"), "status", "--state", str(state)],
            env=clean_environment(), capture_output=True, check=False, timeout=30,
        )  # fmt: skip
        times.append(time.perf_counter() - began)
    return statistics.median(times)


async def measure_agent(folder: Path) -> AgentCost:
    """Enrol a real agent with a real server, let it work, and look at it.

    Raises ChildError, ApiError or HttpError.
    """
    children = Children(folder / "logs")
    state = folder / "agent"
    try:
        server = await asyncio.to_thread(start_server, children, folder / "server", demo=True)
        async with Pool(server.address, server.pins, 2) as pool:
            api = Api(pool, server)
            await api.login()
            district = District((Unit("BENCH", "Đơn vị", "phong", None),), (), (), (), (), (), ())
            papers = write_papers(district, folder / "papers", only=("units",))
            await api.import_file("units", papers["units"], apply=True)
            pasted, _ = await api.make_enrolment_token("BENCH", "agent", 1, approves=True)
        agent = [program("kiemke-agent")]
        run_once([*agent, "enroll", "--state", str(state), pasted], clean_environment())
        start_seconds = await asyncio.to_thread(_start_seconds, state)
        process = children.start(
            "agent", [*agent, "run", "--state", str(state), "--spread", "1"], clean_environment()
        )
        await asyncio.sleep(SETTLE_SECONDS)
        children.check()
        rss_bytes, peak_bytes = _memory(process.pid)
    finally:
        children.end()
    return AgentCost(rss_bytes, peak_bytes, start_seconds)
