"""Speed and size on this machine (`make bench`): load, the agent's cost, the fleet's figures."""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.agent_cost import measure_agent
from bench.children import find_program
from bench.identity import MOST_MERGED, MOST_SPLIT_RATIO, measure_afresh
from bench.identity import SEED as IDENTITY_SEED
from bench.load import Load, commits_per_second, measure_load

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    "sqlite", "postgres", "agent", "figures", "searching", "identity", "reconcile", "snmp",
    "lightness", "stampede", "identification",
)  # fmt: skip


def main() -> int:
    """Measure what was asked for, print one table, write it to .cache/bench/."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (all)")
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    console = Console(highlight=False)
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat()}
    table = Table("what", "figure", "wanted", box=None, pad_edge=False)
    folder = Path(tempfile.mkdtemp(prefix="kiemke-bench-", dir=_disk()))
    try:
        for part in parts:
            console.print(f"measuring {part} ...")
            if part in ("sqlite", "postgres"):
                _measure_database(part, folder / part, table, results)
            elif part == "agent":
                _measure_agent(folder / part, table, results)
            elif part == "identity":
                _measure_identity(folder / part, table, results)
            else:
                subprocess.run([sys.executable, "-m", f"bench.{part}"], cwd=ROOT, check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(table)
    if len(results) > 1:
        out = _disk() / "bench"
        out.mkdir(exist_ok=True)
        name = out / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
        name.write_text(json.dumps(results, indent=1))
        console.print(f"written to {name.relative_to(ROOT)}")
    return 0


def _disk() -> Path:
    """Return a folder on the disk the project lies on: /tmp may be memory, which syncs for nothing."""
    folder = ROOT / ".cache"
    folder.mkdir(exist_ok=True)
    return folder


def _measure_database(part: str, folder: Path, table: Table, results: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        url: str | None = None
        if part == "postgres":
            if find_program("postgres") is None and not Path("/usr/lib/postgresql").is_dir():
                table.add_row("PostgreSQL", "not installed here", "apt install postgresql")
                return
            from tests.support.peers import running_postgres  # pytest comes with it: only here

            cluster = Path(tempfile.mkdtemp(prefix="kiemke-bench-postgres-"))
            stack.callback(shutil.rmtree, cluster, ignore_errors=True)
            url = stack.enter_context(running_postgres(cluster))
        commits = commits_per_second(folder)
        load: Load = asyncio.run(measure_load(part, url, folder))
    wanted = {"sqlite": "≥ 3,000", "postgres": "≥ 5,000"}[part]
    table.add_row(f"durable reports/s, {part}", f"{load.reports_per_second:,.0f}", wanted)
    table.add_row(
        "  answer to a batch of 5", f"{load.median_seconds * 1000:.0f} ms median, "
        f"{load.worst_seconds * 1000:.0f} ms worst, {load.told_to_wait} told to wait", "",
    )  # fmt: skip
    table.add_row(
        "  processor time", f"{load.server_cpu_seconds / load.seconds:.2f} cores server, "
        f"{load.generator_cpu_seconds / load.seconds:.2f} load generator", "",
    )  # fmt: skip
    table.add_row("  the disk's commits/s beside", f"{commits:,.0f}", "")
    results[part] = {
        **asdict(load),
        "reports_per_second": load.reports_per_second,
        "disk_commits_per_second": commits,
    }


def _measure_agent(folder: Path, table: Table, results: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    cost = asyncio.run(measure_agent(folder))
    table.add_row("agent RSS", f"{cost.rss_bytes / 2**20:.1f} MiB", "≤ 28 MB")
    table.add_row("agent peak RSS", f"{cost.peak_rss_bytes / 2**20:.1f} MiB", "")
    table.add_row("agent start (status)", f"{cost.start_seconds:.2f} s", "≤ 0.3 s")
    results["agent"] = asdict(cost)


def _measure_identity(folder: Path, table: Table, results: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    found = asyncio.run(measure_afresh(folder, pcs=2000, years=10, seed=IDENTITY_SEED))
    table.add_row("PCs wrongly merged", str(found.merged), f"{MOST_MERGED}")
    table.add_row(
        "PCs wrongly split", f"{found.split} of {found.pcs:,} = {found.split_ratio:.2%}",
        f"≤ {MOST_SPLIT_RATIO:.1%}",
    )  # fmt: skip
    table.add_row(
        "  asked of people", f"{found.doubts} doubts, {found.set_aside} collisions in "
        f"{found.installs:,} installs", "",
    )  # fmt: skip
    table.add_row("  docks found", f"{found.shared_adapters} of {found.docks}", "all")
    results["identity"] = asdict(found)


if __name__ == "__main__":
    sys.exit(main())
