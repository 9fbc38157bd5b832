"""Speed of what people ask at national size: a search, coverage from the last recount, who is behind it.

``python -m bench.searching [--units N] [--officials N] [--pcs N] [--only sqlite|postgres]`` writes a
synthetic country into scratch databases of its own and asks the running app, sign-in and rights
included, and what lists of people and programs take. Printed are of some rounds the median, the time that
19 of 20 answers keep (p95; of few rounds the slowest) and the fastest, and the processor time of this process
and its database, in milliseconds, beside what is wanted.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from bench import figures
from bench.children import find_program
from bench.names import draw_name
from kiemke.server.db import Database, Row
from kiemke.server.domain import coverage, search_index
from kiemke.server.domain.text import person_sort_key, search_key
from kiemke.server.migrate import migrate

_ROUNDS, _MANY_ROUNDS, _FEW_ROUNDS = 7, 40, 3
_SEARCH_MS, _COVERAGE_MS = 100.0, 50.0
_BATCH, _PAGE_ROWS = 5_000, 20_000
_MODELS = ("ProDesk 400 G6", "OptiPlex 3080", "ThinkCentre M70s", "Vostro 3910")

_TITLES, _COPIES = 3_000, 28
# What a PC tells of itself, alike on all: fitness reads it.
_TOLD = (
    ("memory", '[{"size_bytes": 8589934592}]'),
    ("disks", '[{"model": "Samsung SSD 870", "bus": "sata"}]'),
    ("os", '[{"family": "windows", "name": "Windows 10 Pro", "build": "19045"}]'),
)
_COPIES_SQL = f"""
INSERT INTO source_software (source_id, title_id)
WITH RECURSIVE copy(number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM copy WHERE number < {_COPIES - 1})
SELECT s.id, 1 + (s.id * (number / 9) + number * 97) % {_TITLES} FROM source s CROSS JOIN copy
WHERE TRUE ON CONFLICT DO NOTHING
"""  # noqa: S608 - numbers of this file
# Lists: what, where and how it is asked, and how often; U stands for a commune.
LISTS: tuple[tuple[str, str, dict[str, str | int], int, float | None], ...] = (
    ("coverage, a page of 100", "coverage", {"limit": 100}, _MANY_ROUNDS, _COVERAGE_MS),
    ("coverage, a page of 1000", "coverage", {"limit": 1000}, _MANY_ROUNDS, _COVERAGE_MS),
    ("who, of a commune", "coverage/who", {"unit": "U"}, _ROUNDS, None),
    ("fitness, of a commune", "coverage/fit", {"unit": "U"}, _ROUNDS, None),
    ("fitness, of all one sees", "coverage/fit", {}, _FEW_ROUNDS, None),
    ("programs", "software", {}, _ROUNDS, None),
    ("officials, by two words", "officials", {"q": "an nguyen"}, _ROUNDS, None),
)

# What is asked, in the words of the table; %d is a person or PC of the middle of the country.
QUESTIONS = (
    ("a full name", "Nguyễn Văn An"),
    ("the commonest word there is", "nguyen"),
    ("words in another order", "dat nguyen"),
    ("two letters", "an"),
    ("one letter", "n"),
    ("the commonest two words", "nguyen van"),
    ("these the other way round", "van nguyen"),
    ("a common word and none", "nguyen zzyx"),
    ("single letters", "n v"),
    ("many words", "a b c d e f g h i k l m n o p q"),
    ("what every PC is", "may tinh de ban"),
    ("a phone number", "0912{n:06d}"),
    ("the end of a phone number", "{n:06d}"),
    ("a serial", "5CG{n:06d}XY"),
    ("the middle of a serial", "G{n:06d}X"),
    ("what a thousand serials hold", "G{thousand:03d}"),
    ("a MAC, as Cisco writes it", "0200.00{a:02x}.{b:02x}{c:02x}"),
    ("a piece of a MAC", "0{a:02x}{b:02x}{c:02x}"),
    ("a MAC", "02-00-00-{a:02x}-{b:02x}-{c:02x}"),
    ("an IP address", "10.{a}.{b}.{c}"),
    ("a host name", "PC-{n:06d}"),
    ("a unit", "xa 1234"),
    ("what is nowhere", "ZZ999999Z"),
)


async def _name(db: Database, officials: int, pcs: int) -> None:
    """Give the country names and numbers as they are on stickers. Deterministic."""
    chance = random.Random(5)
    people: list[Row] = []
    for n in range(1, officials + 1):
        name = draw_name(chance)
        people.append(
            {"id": n, "name": name, "search": search_key(name), "sort": person_sort_key(name),
             "phone": f"0912{n:06d}"}
        )  # fmt: skip
    things = [
        {"id": n, "serial": f"5CG{n:06d}XY", "tag": f"HC/{n:06d}", "name": "Máy tính để bàn",
         "model": _MODELS[n % 4], "host": f"PC-{n:06d}"}
        for n in range(1, pcs + 1)
    ]  # fmt: skip
    sections = [row for n in range(1, pcs + 1) for row in _sections(n)]
    async with db.transaction() as session:
        for rows, sql in (
            (people, "UPDATE official SET name = :name, search_key = :search, sort_key = :sort,"
             " phone = :phone WHERE id = :id"),
            (things, "UPDATE asset SET serial = :serial, tag = :tag, name = :name, model = :model"
             " WHERE id = :id"),
            (things, "UPDATE source SET hostname = :host WHERE id = :id"),
            (sections, "INSERT INTO source_section (source_id, section, status, token, rows_json,"
             " observed_at_ms, changed_at_ms) VALUES (:id, :section, 'ok', 't', :rows, 0, 0)"),
        ):  # fmt: skip
            for start in range(0, len(rows), _PAGE_ROWS):
                page: list[dict[str, Any]] = rows[start : start + _PAGE_ROWS]
                await session.many(sql, page)


def _bytes(n: int) -> dict[str, int]:
    return {"n": n, "thousand": n // 1000, "a": n >> 16, "b": n >> 8 & 255, "c": n & 255}


def _sections(n: int) -> list[Row]:
    mac = "02:00:00:{a:02x}:{b:02x}:{c:02x}".format(**_bytes(n))
    address = "10.{a}.{b}.{c}/24".format(**_bytes(n))
    return [
        {"id": n, "section": "system", "rows": f'[{{"serial": "5CG{n:06d}XY"}}]'},
        {"id": n, "section": "adapters",
         "rows": f'[{{"name": "e", "permanent_mac": "{mac}", "addresses": ["{address}"]}}]'},
    ]  # fmt: skip


async def _equip(db: Database) -> None:
    """Let every PC tell of itself and of its programs."""
    titles: list[Row] = [
        {"id": n, "name": f"Program {n}", "plain": f"program {n}"} for n in range(1, _TITLES + 1)
    ]
    async with db.transaction() as session:
        await session.many(
            "INSERT INTO software_title (id, name, version, publisher, plain_name)"
            " VALUES (:id, :name, '1', '', :plain)",
            titles,
        )
        await session.execute(_COPIES_SQL)
        for section, rows in _TOLD:
            await session.execute(
                "INSERT INTO source_section (source_id, section, status, token, rows_json,"
                " observed_at_ms, changed_at_ms)"
                " SELECT id, CAST(:section AS VARCHAR(40)), 'ok', 't', CAST(:rows AS TEXT), 0, 0 FROM source",
                section=section,
                rows=rows,
            )


async def _index(db: Database) -> None:
    begin = time.perf_counter()
    things = 0
    while taken := await search_index.catch_up(db, _BATCH):
        things += taken
    words = (await db.read("SELECT COUNT(*) AS n FROM search_word"))[0]["n"]
    async with db.transaction() as session:
        await session.execute("ANALYZE")
    print(f"  words: {words:,} of {things:,} changes, made in {time.perf_counter() - begin:.0f} s")


async def measure(url: str, args: argparse.Namespace, folder: Path) -> None:
    """Fill one database, and print what its app takes to answer."""
    from tests.support.api import running_api  # the app in this process, with its users

    await migrate(url)
    db = Database(url)
    await db.open()
    try:
        begin = time.perf_counter()
        await figures.fill(db, args.units, args.officials, args.pcs)
        await _name(db, args.officials, args.pcs)
        await _equip(db)
        print(f"{db.dialect}: filled in {time.perf_counter() - begin:.0f} s")
        await _index(db)
        await coverage.refresh_now(db, figures._NOW_MS)
    finally:
        await db.close()
    print(f"{'median, p95, fastest, processor':>65}  wanted")
    commune = figures._unit_of(args.pcs // 2, args.pcs, args.units)
    middle = _bytes(args.pcs // 2)
    async with running_api(url, folder) as api:
        api.clock.now_ms = figures._NOW_MS
        for who, unit_id in (("all units", None), ("a commune", commune)):
            async with await api.signed_in("it", unit_id) as client:
                print(f"  one who sees {who}:")
                for what, text in QUESTIONS:
                    asked = {"q": text.format(**middle)}
                    await _ask(client, what, "/api/v1/search", asked, _SEARCH_MS)
                for what, path, asks, rounds, wanted_ms in LISTS:
                    told = {k: f"{commune:05d}" if v == "U" else v for k, v in asks.items()}
                    await _ask(client, what, f"/api/v1/{path}", told, wanted_ms, rounds)


def _spent_seconds() -> float:
    """Return the processor time of this process and of the PostgreSQL below it, seconds."""
    total = time.process_time()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ended a moment ago
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


async def _ask(
    client: Any,
    what: str,
    path: str,
    asked: dict[str, Any],
    wanted_ms: float | None,
    rounds: int = _ROUNDS,
) -> None:
    taken, found = [], 0
    spent = _spent_seconds()
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = await client.get(path, params=asked, timeout=600)
        taken.append((time.perf_counter() - begin) * 1000)
        told = answer.raise_for_status().json()
        found = told["total"] if "total" in told else sum(c["found"] for c in told["counts"])
    spent = (_spent_seconds() - spent) * 1000 / rounds
    taken.sort()
    middle, late = statistics.median(taken), taken[max(0, -(-len(taken) * 19 // 20) - 1)]
    slow = " !" if wanted_ms is not None and middle > wanted_ms else ""
    limit = "" if wanted_ms is None else f"≤ {wanted_ms:g}"
    print(
        f"    {what:<30} {middle:6.1f} {late:6.1f} {taken[0]:6.1f} {spent:6.1f} ms  {limit}{slow}"
        f"  ({found} found)",
        flush=True,
    )


def main() -> int:
    """Run the measurements."""
    parser = argparse.ArgumentParser(prog="python -m bench.searching")
    parser.add_argument("--units", type=int, default=3_321)
    parser.add_argument("--officials", type=int, default=120_000)
    parser.add_argument("--pcs", type=int, default=100_000)
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    args = parser.parse_args()
    print(f"{args.units} units, {args.officials} officials, {args.pcs} PCs")
    folder = Path(tempfile.mkdtemp(prefix="kiemke-bench-"))
    cluster = Path(tempfile.mkdtemp(prefix="kiemke-bench-postgres-"))
    try:
        if args.only != "postgres":
            asyncio.run(measure(f"sqlite://{folder / 'search.sqlite'}", args, folder))
        if args.only == "sqlite":
            return 0
        if find_program("postgres") is None and not Path("/usr/lib/postgresql").is_dir():
            print("PostgreSQL is not installed here: apt install postgresql")
            return 0
        from tests.support.peers import running_postgres  # pytest comes with it: only here

        with running_postgres(cluster) as url:
            asyncio.run(measure(url, args, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(cluster, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
