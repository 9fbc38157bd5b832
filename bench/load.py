"""Durable reports a second: a real server of its own process, real HTTPS, agents' batches of five.

The bodies are made before the clock starts, so that the load generator, which shares the two cores,
costs little more than TLS; the commits a second of the same disk are measured beside.
"""

import asyncio
import gzip
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.children import Children
from bench.district import District, Unit
from bench.https import Pool
from bench.papers import write_papers
from bench.server import Api, start_server
from bench.source import Source, Tally
from kiemke.wire.codec import decode_answer, encode_batch
from kiemke.wire.report import AdapterCounters, Sample, SelfCost

SOURCES = 200
REPORTS_PER_BATCH = 5
BATCHES_PER_SOURCE = 40
CONNECTIONS = 64
FSYNC_SECONDS = 2.0
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of load came to. ``worst_seconds`` is the slowest answer to one batch.

    The ``*_cpu_seconds`` tell who of the two on these cores had the work (the database not counted).
    """

    database: str
    reports: int
    seconds: float
    median_seconds: float
    worst_seconds: float
    told_to_wait: int
    server_cpu_seconds: float
    generator_cpu_seconds: float

    @property
    def reports_per_second(self) -> float:
        """Return acknowledged, hence durable, reports a second."""
        return self.reports / self.seconds


def commits_per_second(folder: Path) -> float:
    """Return how many times a second 4 KiB can be appended and synced in ``folder``."""
    path = folder / "fsync"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    count, end = 0, time.monotonic() + FSYNC_SECONDS
    try:
        while time.monotonic() < end:
            os.write(descriptor, b"\0" * 4096)
            os.fsync(descriptor)
            count += 1
    finally:
        os.close(descriptor)
        path.unlink()
    return count / FSYNC_SECONDS


def process_cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used. Source: proc(5) stat, utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bodies(source: Source, batches: int) -> list[tuple[bytes, int]]:
    """Return the gzip bodies of one agent's batches, each with the seq it is acknowledged by."""
    now = datetime.now(UTC)
    bodies: list[tuple[bytes, int]] = []
    for batch in range(batches):
        reports = []
        for number in range(REPORTS_PER_BATCH):
            minute = batch * REPORTS_PER_BATCH + number
            at = now - timedelta(minutes=batches * REPORTS_PER_BATCH - minute)
            sample = Sample(
                covered_seconds=60.0,
                cpu_ratio=0.11,
                memory_used_bytes=3 * GIB,
                memory_total_bytes=8 * GIB,
                adapters=(AdapterCounters("Ethernet", minute * 1_000_000, minute * 90_000),),
                user="lan.nt",
                cost=SelfCost(12.5, 24_000_000, 5),
            )
            reports.append(source.encode(at, "sample", sample))
        uptime_seconds = (now - source.booted_at).total_seconds()
        plain = encode_batch(source.source, now, uptime_seconds, source.boot_id, reports)
        bodies.append((gzip.compress(plain, 6), (batch + 1) * REPORTS_PER_BATCH))
    return bodies


async def measure_load(database: str, url: str | None, folder: Path) -> Load:
    """Start a server on ``url`` (None: SQLite in ``folder``), load it, and end it.

    Raises ChildError, ApiError, SenderError or AssertionError when a report was not acknowledged.
    """
    children = Children(folder / "logs")
    try:
        server = await asyncio.to_thread(
            start_server, children, folder / "server", demo=True, database_url=url
        )
        async with Pool(server.address, server.pins, CONNECTIONS) as pool:
            api = Api(pool, server)
            await api.login()
            sources = await _enrol(api, pool, folder)
            bodies = {source.source: _bodies(source, BATCHES_PER_SOURCE) for source in sources}
            return await _run(database, pool, sources, bodies, children.pid("server"))
    finally:
        children.end()


async def _enrol(api: Api, pool: Pool, folder: Path) -> list[Source]:
    unit = Unit("BENCH", "Đơn vị thử tải", "phong", None)
    district = District((unit,), (), (), (), (), (), ())
    papers = write_papers(district, folder / "papers", only=("units",))
    said = await api.import_file("units", papers["units"], apply=True)
    assert not said["errors"], said
    _, token = await api.make_enrolment_token(unit.code, "agent", SOURCES, approves=True)
    booted_at = datetime.now(UTC) - timedelta(days=2)
    tally = Tally()
    sources = [
        Source(pool, tally, "agent", secrets.token_hex(16), booted_at, hostname=f"tai-{number}")
        for number in range(SOURCES)
    ]
    for source in sources:
        await source.enrol(token)
    return sources


async def _run(
    database: str,
    pool: Pool,
    sources: Sequence[Source],
    bodies: dict[str, list[tuple[bytes, int]]],
    server_pid: int,
) -> Load:
    """Send everything, one request in flight for each source; every batch is acknowledged."""
    waits = 0
    answers: list[float] = []

    async def play(source: Source) -> None:
        nonlocal waits
        for body, seq in bodies[source.source]:
            while True:
                sent = time.perf_counter()
                reply = await pool.request("POST", "/api/v1/reports", body, source.headers())
                if reply.status != 503:
                    break
                waits += 1
                await asyncio.sleep(float(reply.headers.get("retry-after", "1")))
            answers.append(time.perf_counter() - sent)
            assert reply.status == 200, (reply.status, reply.body[:300])
            assert decode_answer(reply.body).ack == {source.stream: seq}, reply.body[:300]

    server_cpu, own_cpu = process_cpu_seconds(server_pid), time.process_time()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for source in sources:
            group.create_task(play(source))
    seconds = time.perf_counter() - began
    answers.sort()
    return Load(
        database, len(answers) * REPORTS_PER_BATCH, seconds, answers[len(answers) // 2],
        answers[-1], waits, process_cpu_seconds(server_pid) - server_cpu,
        time.process_time() - own_cpu,
    )  # fmt: skip
