"""Speed of the figures at national size: the coverage recount and the fleet's metrics.

``python -m bench.figures [--units N] [--officials N] [--pcs N] [--postgres URL]`` writes a synthetic
country into scratch databases of its own, SQLite and PostgreSQL (where it is installed), and prints
what each step took, in seconds, beside what is wanted. ``--postgres`` measures that database alone;
it must be empty, is migrated and filled.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.children import find_program
from kiemke.server.db import Database, Session
from kiemke.server.domain import coverage, coverage_figures, presence_blocks
from kiemke.server.domain.coverage_rollup import CoverageRow
from kiemke.server.metrics.fleet import Fleet
from kiemke.server.migrate import migrate

_DAY = date(2026, 3, 10)
_NOW_MS = int(datetime(2026, 3, 10, 18, 0, tzinfo=UTC).timestamp() * 1000)
_FAR_BACK = date(2020, 1, 1)
_RECORDED_MS = 1_600_000_000_000
_DATED = {
    "valid_from": _FAR_BACK,
    "valid_to": None,
    "recorded_at_ms": _RECORDED_MS,
    "voided_at_ms": None,
}
_KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")
_PAGE_ROWS = 20_000
_ROUNDS = 5
_BLOCKS_KEPT = 730 // presence_blocks.BLOCK_DAYS
_RECOUNT_SECONDS = 1.0
_PAST_SECONDS = 1.5
_COLD_SECONDS = 10.0
_SCRAPE_SECONDS = 0.15


# The day rows of two weeks stand for two years of them: so many blocks the recount must not walk.
_OLDER_BLOCKS = f"""
INSERT INTO presence_block (source_id, block, account, account_days, trusted_days)
WITH RECURSIVE back(blocks) AS (SELECT 1 UNION ALL SELECT blocks + 1 FROM back WHERE blocks < {_BLOCKS_KEPT})
SELECT source_id, block - blocks, account, account_days, trusted_days
FROM back CROSS JOIN presence_block ORDER BY blocks DESC, source_id
"""  # noqa: S608 - a number of this file


async def _insert(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = list(rows[0])
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608 - names of this file
        f"VALUES ({', '.join(':' + name for name in names)})"
    )
    for start in range(0, len(rows), _PAGE_ROWS):
        await session.many(statement, rows[start : start + _PAGE_ROWS])


def _units(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the unit rows and versions of one root, 34 provinces and communes below them."""
    units = [{"id": n, "created_at_ms": _RECORDED_MS, "demo": True} for n in range(1, count + 1)]
    versions = []
    for n in range(1, count + 1):
        parent = None if n == 1 else 1 if n <= 35 else 2 + n % 34
        versions.append(
            {
                "id": n, "unit_id": n, "parent_id": parent, "code": f"{n:05d}", "name": f"Xã {n}",
                "type": "xa", "sort_key": f"{n:05d}", "search_key": f"xa {n}", **_DATED,
            }
        )  # fmt: skip
    return units, versions


def _unit_of(number: int, count: int, units: int) -> int:
    """Return the unit of person or PC ``number`` (from 1): a country is entered unit by unit."""
    return 2 + (number - 1) * (units - 1) // count


def _people(count: int, units: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    officials = [
        {
            "id": n, "code": f"P{n}", "name": f"Người {n}", "sort_key": f"{n:07d}",
            "search_key": f"nguoi {n}", "account": f"user{n}", "created_at_ms": _RECORDED_MS,
        }
        for n in range(1, count + 1)
    ]  # fmt: skip
    members = [
        {
            "id": n, "official_id": n, "unit_id": _unit_of(n, count, units), "kind": _KINDS[n % 4],
            "is_primary": True, **_DATED,
        }
        for n in range(1, count + 1)
    ]  # fmt: skip
    return officials, members


def _assets(count: int, units: int) -> dict[str, list[dict[str, Any]]]:
    """Return PC n with official n, matched to machine n, whose source is n."""
    numbers = range(1, count + 1)
    decided = {"decided_by": "serial", "evidence_json": "{}", **_DATED}
    return {
        "asset": [
            {
                "id": n, "code": f"A{n}", "kind": "desktop", "name": "PC", "search_key": "pc",
                "ownership": "owned", "serial_key": f"SER{n}", "created_at_ms": _RECORDED_MS,
            }
            for n in numbers
        ],
        "asset_status": [{"id": n, "asset_id": n, "status": "in_use", **_DATED} for n in numbers],
        "custody": [
            {"id": n, "asset_id": n, "unit_id": _unit_of(n, count, units), "official_id": n, **_DATED}
            for n in numbers
        ],
        "enrolment_token": [
            {
                "id": 1, "public_id": "t", "secret_sha256": "0" * 64, "kind": "agent", "unit_id": 1,
                "uses_left": 0, "expires_at_ms": 0, "approves": True, "created_at_ms": 0,
            }
        ],
        "source": [
            {
                "id": n, "public_id": f"s{n}", "kind": "agent", "state": "approved",
                "install_id": f"i{n}", "secret_sha256": "0" * 64, "token_id": 1,
                "unit_id": _unit_of(n, count, units), "created_at_ms": _RECORDED_MS,
            }
            for n in numbers
        ],
        "source_now": [
            {"source_id": n, "last_received_at_ms": _NOW_MS, "changed_at_ms": _NOW_MS}
            for n in numbers
        ],
        "machine": [{"id": n, "created_at_ms": _RECORDED_MS} for n in numbers],
        "machine_source": [
            {"id": n, "machine_id": n, "source_id": n, "stay": 0, **decided} for n in numbers
        ],
        "asset_match": [{"id": n, "asset_id": n, "machine_id": n, **decided} for n in numbers],
    }  # fmt: skip


def _presence(count: int, days: list[date], chance: random.Random) -> list[dict[str, Any]]:
    """Return a day each, PC by PC within a day; one in 200 is at a colleague's account."""
    rows: list[dict[str, Any]] = []
    packed = b"\x01" * 77
    for day in days:
        for n in range(1, count + 1):
            account = f"user{n}" if chance.random() > 0.005 else f"user{n + 1}"
            rows.append(
                {
                    "id": len(rows) + 1, "source_id": n, "day": day, "packed": packed, "slots": 90,
                    "trusted_slots": 90, "user_slots_json": f'{{"{account}": 90}}',
                    "main_account": account, "changed_at_ms": _RECORDED_MS,
                }
            )  # fmt: skip
    return rows


async def fill(
    db: Database, units: int, officials: int, pcs: int, *, presence: bool = True
) -> None:
    """Write the country; without ``presence`` no PC was ever on. Deterministic."""
    days = [_DAY - timedelta(days=back) for back in range(13, -1, -1)]
    days = [day for day in days if day.weekday() < 5]
    unit_rows, versions = _units(units)
    people, members = _people(officials, units)
    async with db.transaction() as session:
        await _insert(
            session,
            "installation",
            [{"id": 1, "public_id": "b", "utc_offset_seconds": 25_200, "demo": True,
              "created_at_ms": 0}],
        )  # fmt: skip
        await _insert(session, "unit", unit_rows)
        await _insert(session, "unit_version", versions)
        await _insert(session, "official", people)
        await _insert(session, "membership", members)
        for table, rows in _assets(pcs, units).items():
            await _insert(session, table, rows)
        if presence:
            await _insert(session, "presence_day", _presence(pcs, days, random.Random(1)))
            await presence_blocks.rebuild(session)
            await session.execute(_OLDER_BLOCKS)
    async with db.transaction() as session:
        await session.execute("ANALYZE")


def _say(what: str, taken: Sequence[float], wanted_seconds: float | None = None) -> None:
    """Print the median of some runs, the fastest, and the limit with the share of it that went."""
    middle = statistics.median(taken)
    limit = "" if wanted_seconds is None else f"≤ {wanted_seconds:g} s"
    share = "" if wanted_seconds is None else f"{middle / wanted_seconds:5.0%}"
    print(f"{what:<48} {middle:7.3f} s {min(taken):7.3f} s  {limit:<8} {share}", flush=True)


async def _timed(
    what: str, rounds: int, call: Callable[[], Awaitable[Any]], wanted_seconds: float | None = None
) -> Any:
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = await call()
        taken.append(time.perf_counter() - begin)
    _say(what, taken, wanted_seconds)
    return answer


async def _measure_fleet(db: Database) -> None:
    """Print what scrapes take: the first, one after nothing, and after a tenth changed."""
    clock = [_NOW_MS + 10_000]
    fleet = Fleet(db, 60.0, lambda: clock[0])
    await coverage_figures.refresh_now(db, _NOW_MS)
    text = await _timed("the first scrape of the fleet", 1, fleet.render)
    print(f"  {sum(not line.startswith('#') for line in text.splitlines())} series")
    clock[0] += 600_000
    await _timed("a scrape after nothing changed", _ROUNDS, fleet.render)
    taken = []
    for _ in range(_ROUNDS):
        clock[0] += 120_000
        async with db.transaction() as session:
            for table in ("coverage_now", "unit_figure_now"):
                await session.execute(
                    f"UPDATE {table} SET changed_at_ms = :now WHERE unit_id % 10 = 0",  # noqa: S608
                    now=clock[0],
                )
        begin = time.perf_counter()
        await fleet.render()
        taken.append(time.perf_counter() - begin)
    _say("a scrape after a tenth changed", taken, _SCRAPE_SECONDS)


async def measure(url: str, args: argparse.Namespace) -> None:
    """Fill one database and print what the figures take on it."""
    await migrate(url)
    db = Database(url)
    await db.open()
    try:
        begin = time.perf_counter()
        await fill(db, args.units, args.officials, args.pcs)
        print(
            f"{db.dialect}: filled in {time.perf_counter() - begin:.0f} s; median, fastest, wanted"
        )
        if db.dialect == "sqlite":
            await _measure_cold(db)
        rows = await _timed("coverage recount", _ROUNDS, lambda: _recount(db), _RECOUNT_SECONDS)
        root = next(row for row in rows if row.unit_id == 1 and row.kinds == "")
        print(f"  processor: {await _processor_seconds(db):.3f} s of the process that counts")
        print(f"  of {len(rows)} rows; root: {root.officials} officials, {root.verified} verified")
        past = "coverage of a past day, read from two blocks"
        await _timed(past, _ROUNDS, lambda: _recount(db, _past_day()), _PAST_SECONDS)
        await _timed("the first refresh of coverage_now", 1, lambda: _refresh(db, 0))
        await _timed("a refresh that changes nothing", 2, lambda: _refresh(db, 1))
        await _measure_fleet(db)
    finally:
        await db.close()


async def _recount(db: Database, day: date = _DAY) -> list[CoverageRow]:
    async with db.reading_together() as sessions:
        return await coverage.recount_together(sessions, day, _NOW_MS)


def _past_day() -> date:
    """Return the newest day whose evidence window lies across the edge of two blocks."""
    days = (_DAY - timedelta(days=back) for back in range(presence_blocks.BLOCK_DAYS))
    return next(
        d for d in days if len(presence_blocks.window((d, d - timedelta(days=7))).masks) > 1
    )


async def _processor_seconds(db: Database) -> float:
    """Return the processor time one recount takes, which a busy machine distorts least.

    On PostgreSQL that of the connection's own backend; its parallel workers come on top.
    """
    async with db.reading() as session:
        pid = os.getpid()
        if session.dialect == "postgres":
            row = await session.one("SELECT pg_backend_pid() AS pid")
            pid = int(row["pid"]) if row else pid
        before = _spent_seconds(pid)
        await coverage.recount(session, _DAY, _NOW_MS)
        return _spent_seconds(pid) - before


def _spent_seconds(pid: int) -> float:
    """Return the user and system time of a process so far. Source: proc(5), /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _refresh(db: Database, later_ms: int) -> int:
    return await coverage.refresh_now(db, _NOW_MS + later_ms)


async def _measure_cold(db: Database) -> None:
    """Recount with nothing of the file in memory: neither SQLite's pages nor the kernel's."""
    await db.close()
    with Path(db.url.removeprefix("sqlite://")).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    await db.open()
    await _timed("coverage recount, cold", 1, lambda: _recount(db), _COLD_SECONDS)


def _measure_both(args: argparse.Namespace) -> None:
    """Measure on scratch databases; without PostgreSQL's programs, say so."""
    print(f"{args.units} units, {args.officials} officials, {args.pcs} PCs")
    folder = Path(tempfile.mkdtemp(prefix="kiemke-bench-"))
    cluster = Path(tempfile.mkdtemp(prefix="kiemke-bench-postgres-"))
    try:
        asyncio.run(measure(f"sqlite://{folder / 'figures.sqlite'}", args))
        if find_program("postgres") is None and not Path("/usr/lib/postgresql").is_dir():
            print("PostgreSQL is not installed here: apt install postgresql")
            return
        from tests.support.peers import running_postgres  # pytest comes with it: only here

        with running_postgres(cluster) as url:
            asyncio.run(measure(url, args))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(cluster, ignore_errors=True)


def main() -> int:
    """Run the measurements."""
    parser = argparse.ArgumentParser(prog="python -m bench.figures")
    parser.add_argument("--units", type=int, default=3_321)
    parser.add_argument("--officials", type=int, default=120_000)
    parser.add_argument("--pcs", type=int, default=100_000)
    parser.add_argument("--postgres", help="URL of an empty database")
    args = parser.parse_args()
    if args.postgres:
        asyncio.run(measure(args.postgres, args))
    else:
        _measure_both(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
