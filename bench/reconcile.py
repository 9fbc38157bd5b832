"""Speed of the reconciliation at national size: every difference read, findings opened, matches proposed.

``python -m bench.reconcile [--units N] [--officials N] [--pcs N]`` fills a scratch PostgreSQL with the
country of ``bench.figures``, takes one match in fifty away, moves one PC in two hundred, and prints what
each step took, in seconds, beside what is wanted. Without PostgreSQL's programs it says so.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.children import find_program
from bench.figures import _DAY, _NOW_MS, fill
from kiemke.server.db import Database, Session
from kiemke.server.domain import findings_now, hardware_now
from kiemke.server.domain.match_now import load_span, propose
from kiemke.server.domain.reconcile import Question, read, read_all
from kiemke.server.domain.reconcile_sql import KINDS
from kiemke.server.migrate import migrate

_WANTED_SECONDS = 30.0
_PAGE = 100


async def _nothing(session: Session) -> None:
    """Guard nothing."""


async def _disturb(db: Database) -> None:
    """Take matches away and move PCs, so that there is something to find; add memory to compare."""
    async with db.transaction() as session:
        await session.execute("DELETE FROM asset_match WHERE asset_id % 50 = 0")
        await session.execute("UPDATE source SET unit_id = 2 + id % 34 WHERE id % 200 = 1")
        await session.execute(
            "INSERT INTO source_section (source_id, section, status, token, rows_json,"
            " observed_at_ms, changed_at_ms) SELECT id, 'memory', 'ok', 't', '[{\"size_bytes\":"
            ' 8589934592, "part_number": "M378", "serial": "A\' || id || \'"}]\', 1, 1'
            " FROM source"
        )
    async with db.transaction() as session:
        await session.execute("ANALYZE")


async def _timed(what: str, call: Callable[[], Awaitable[Any]], wanted: float | None = None) -> Any:
    begin = time.perf_counter()
    answer = await call()
    limit = "" if wanted is None else f"≤ {wanted:g} s"
    print(f"{what:<52} {time.perf_counter() - begin:7.2f} s  {limit}", flush=True)
    return answer


async def _measure(url: str, args: argparse.Namespace) -> None:
    await migrate(url)
    db = Database(url)
    await db.open()
    try:
        await _timed("fill", lambda: fill(db, args.units, args.officials, args.pcs))
        await _disturb(db)
        question = Question(_DAY, _NOW_MS)

        async def whole() -> int:
            async with db.reading() as session:
                return len(await read_all(session, question))

        async def page() -> int:
            async with db.reading() as session:
                return len(await read(session, question, (), _PAGE))

        async def proposed() -> int:
            async with db.reading() as session:
                rows = await session.fetch(
                    "SELECT id FROM machine WHERE id % 50 = 0 ORDER BY id LIMIT :n", n=_PAGE
                )
                span = await load_span(session, _DAY, _NOW_MS)
                return len(await propose(session, [row["id"] for row in rows], span, None))

        found = await _timed("reconcile, every difference", whole, _WANTED_SECONDS)
        print(f"  {found} differences")
        for kind in KINDS:
            await _timed(f"  of these {kind}", partial(_one_kind, db, question, kind))
        await _timed(f"reconcile, a page of {_PAGE}", page)
        await _timed(f"candidates of {_PAGE} machines", proposed)
        await _timed("findings, all new", lambda: findings_now.run(db, _NOW_MS, _nothing))
        await _timed("findings, nothing new", lambda: findings_now.run(db, _NOW_MS, _nothing))
        await _timed("hardware, every PC for the first time", lambda: _compare(db))
        await _timed("hardware, nothing changed", lambda: _compare(db))
    finally:
        await db.close()


async def _one_kind(db: Database, question: Question, kind: str) -> int:
    async with db.reading() as session:
        return len(await read_all(session, question, (kind,)))


async def _compare(db: Database) -> int:
    return await hardware_now.run(db, _NOW_MS, _nothing)


def main() -> int:
    """Run the measurements."""
    parser = argparse.ArgumentParser(prog="python -m bench.reconcile")
    parser.add_argument("--units", type=int, default=3_321)
    parser.add_argument("--officials", type=int, default=120_000)
    parser.add_argument("--pcs", type=int, default=100_000)
    args = parser.parse_args()
    print(f"{args.units} units, {args.officials} officials, {args.pcs} PCs")
    if find_program("postgres") is None and not Path("/usr/lib/postgresql").is_dir():
        print("PostgreSQL is not installed here: apt install postgresql")
        return 0
    from tests.support.peers import running_postgres  # pytest comes with it: only here

    cluster = Path(tempfile.mkdtemp(prefix="kiemke-bench-postgres-"))
    try:
        with running_postgres(cluster) as url:
            asyncio.run(_measure(url, args))
    finally:
        shutil.rmtree(cluster, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
