"""Real servers killed, filled, doubled and restored amid real reports: each counted exactly once."""

import asyncio
import contextlib
import gzip
import http.client
import json
import os
import random
import shutil
import sqlite3
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from kiemke.server.db import Database
from kiemke.wire.codec import encode_report
from kiemke.wire.report import Event
from tests.support.database import fresh_url, sqlite_template
from tests.support.reporting import Sender, add_source
from tests.support.server_process import PinnedConnection, ServerProcess

NET_ERRORS = (OSError, http.client.HTTPException, ssl.SSLError)


async def _add_senders(url: str, count: int) -> list[Sender]:
    database = Database(url)
    await database.open()
    try:
        return [await add_source(database) for _ in range(count)]
    finally:
        await database.close()


def add_senders(url: str, count: int) -> list[Sender]:
    """Enrol sources straight in the database; their clocks are the machine's."""
    senders = asyncio.run(_add_senders(url, count))
    for sender in senders:
        sender.booted_ms = round(time.time() * 1000) - 3_600_000
    return senders


def events(sender: Sender, first: int, last: int) -> list[bytes]:
    """Encode the events numbered ``first`` to ``last``."""
    now = round(time.time() * 1000)
    return [
        encode_report(sender.report("event", Event("session", {"n": str(n)}), now, seq=n))
        for n in range(first, last + 1)
    ]


def counted_sqlite(path: Path) -> dict[int, Counter[str]]:
    """Return source -> how often each event stands in the database."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT source_id, detail_json FROM source_event").fetchall()
    counted: dict[int, Counter[str]] = {}
    for source, detail in rows:
        counted.setdefault(source, Counter())[json.loads(detail)["n"]] += 1
    return counted


def expected(last: int) -> Counter[str]:
    """Each number once."""
    return Counter({str(n): 1 for n in range(1, last + 1)})


def post_until_taken(
    server: ServerProcess, sender: Sender, last: int, batch: int, deadline: float
) -> None:
    """Send events 1 to ``last`` like an outbox does: FIFO, one request, again until acknowledged."""
    acknowledged = 0
    connection: PinnedConnection | None = None
    while acknowledged < last:
        assert time.monotonic() < deadline, f"{sender.source}: {acknowledged} of {last} in time"
        upto = min(acknowledged + batch, last)
        body = sender.post(events(sender, acknowledged + 1, upto), round(time.time() * 1000))
        try:
            if connection is None:
                connection = PinnedConnection(server.port, server.root_pem, timeout=5)
            connection.request("POST", "/api/v1/reports", body, sender.headers())
            answer = connection.getresponse()
            data = answer.read()
        except NET_ERRORS:
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(0.05)  # the server is down by the test's own hand
            continue
        if answer.status == 200:
            acknowledged = json.loads(data)["ack"][str(sender.stream)]
        else:
            assert answer.status == 503, data
    if connection is not None:
        connection.close()


def run_threads(jobs: list[Callable[[], None]]) -> None:
    """Run all jobs at once; raise what the first that failed raised."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # raised again in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.fixture
def sqlite_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """An installation on SQLite, migrated, not started."""
    server = ServerProcess(tmp_path / "data", f"sqlite://{tmp_path / 'data' / 'kiemke.sqlite'}")
    server.data_dir.mkdir()
    shutil.copyfile(asyncio.run(sqlite_template()), database_file(server))
    yield server
    server.stop()


def database_file(server: ServerProcess) -> Path:
    """Where an installation's SQLite lies."""
    return Path(server.database_url.removeprefix("sqlite://"))


def test_a_server_killed_again_and_again_loses_and_doubles_nothing(
    sqlite_server: ServerProcess,
) -> None:
    """``kill -9`` four times amid four senders' streams."""
    senders = add_senders(sqlite_server.database_url, 4)
    sqlite_server.start()
    deadline = time.monotonic() + 90
    done = threading.Event()

    def kill_and_start() -> None:
        rng = random.Random(3)
        for _ in range(4):
            if done.wait(rng.uniform(0.2, 0.7)):
                return
            sqlite_server.kill()
            sqlite_server.start()

    killer = threading.Thread(target=kill_and_start)
    killer.start()
    try:
        run_threads(
            [
                lambda s=s: post_until_taken(sqlite_server, s, 800, 5, deadline)  # type: ignore[misc]
                for s in senders
            ]
        )
    finally:
        done.set()
        killer.join()
    sqlite_server.stop()

    counted = counted_sqlite(database_file(sqlite_server))
    assert counted == {s.source_id: expected(800) for s in senders}


def test_two_servers_given_the_same_batches_count_each_report_once(
    tmp_path: Path, postgres_url: str
) -> None:
    """A balancer may repeat a request to the other server; both use one PostgreSQL."""

    async def play() -> tuple[list[Sender], list[asyncpg.Record]]:
        async with fresh_url("postgres", tmp_path, postgres_url) as url:
            senders = await _add_senders(url, 6)
            for sender in senders:
                sender.booted_ms = round(time.time() * 1000) - 3_600_000
            first = ServerProcess(tmp_path / "data", url)
            second = ServerProcess(first.data_dir, url)
            with first, second:
                await asyncio.to_thread(_send_everywhere, [first, second], senders)
            connection = await asyncpg.connect(url)
            try:
                rows = await connection.fetch(
                    "SELECT source_id, detail_json, count(*) AS n FROM source_event GROUP BY 1, 2"
                )
                streams = await connection.fetch("SELECT last_seq, missing FROM source_stream")
            finally:
                await connection.close()
            assert [(s["last_seq"], s["missing"]) for s in streams] == [(200, "")] * 6
            return senders, rows

    senders, rows = asyncio.run(play())

    assert {row["n"] for row in rows} == {1}
    per_source = Counter(row["source_id"] for row in rows)
    assert per_source == {s.source_id: 200 for s in senders}


def _send_everywhere(servers: list[ServerProcess], senders: list[Sender]) -> None:
    """Send every batch of every sender to every server, in an order of each thread's own."""

    def job(server: ServerProcess, seed: int) -> Callable[[], None]:
        def send() -> None:
            batches = [(s, n) for s in senders for n in range(1, 200, 10)]
            random.Random(seed).shuffle(batches)
            connection = PinnedConnection(server.port, server.root_pem)
            for sender, first in batches:
                body = sender.post(events(sender, first, first + 9), round(time.time() * 1000))
                connection.request("POST", "/api/v1/reports", body, sender.headers())
                answer = connection.getresponse()
                data = answer.read()
                assert answer.status == 200, data
            connection.close()

        return send

    run_threads([job(server, seed) for seed, server in enumerate(servers * 2)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk (tmpfs)")
def test_a_full_disk_refuses_and_later_takes_every_report(tmp_path: Path) -> None:
    """No report is acknowledged into a full disk, and the server lives to take it afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    server = ServerProcess(tmp_path / "data", f"sqlite://{disk / 'kiemke.sqlite'}")
    server.data_dir.mkdir()
    try:
        shutil.copyfile(asyncio.run(sqlite_template()), disk / "kiemke.sqlite")
        (sender,) = add_senders(server.database_url, 1)
        server.start()
        acknowledged = 0
        status = 200
        while status == 200:
            body = sender.post(
                events(sender, acknowledged + 1, acknowledged + 500), round(time.time() * 1000)
            )
            status, data, headers = server.request(
                "POST", "/api/v1/reports", body, sender.headers()
            )
            if status == 200:
                acknowledged = json.loads(data)["ack"][str(sender.stream)]
            assert acknowledged < 100_000, "the disk never filled"
        assert status == 503
        assert int(headers["retry-after"]) > 0
        assert server.request("GET", "/healthz")[0] in (200, 503)

        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        last = acknowledged + 1000
        post_from(server, sender, acknowledged, last)
        server.stop()

        assert counted_sqlite(disk / "kiemke.sqlite") == {sender.source_id: expected(last)}
    finally:
        server.stop()
        subprocess.run(["umount", str(disk)], check=True)


def post_from(server: ServerProcess, sender: Sender, acknowledged: int, last: int) -> None:
    """Send what is left, in batches of a hundred, each of which must be taken."""
    while acknowledged < last:
        body = sender.post(
            events(sender, acknowledged + 1, min(acknowledged + 100, last)),
            round(time.time() * 1000),
        )
        status, data, _ = server.request("POST", "/api/v1/reports", body, sender.headers())
        assert status == 200, data
        acknowledged = json.loads(data)["ack"][str(sender.stream)]


def test_a_server_restored_from_a_backup_goes_on_where_the_senders_are(
    sqlite_server: ServerProcess, tmp_path: Path
) -> None:
    """What was acknowledged after the backup is gone with it, is counted as a gap, blocks nobody."""
    (sender,) = add_senders(sqlite_server.database_url, 1)
    path = database_file(sqlite_server)
    sqlite_server.start()
    post_from(sqlite_server, sender, 0, 100)
    with contextlib.closing(sqlite3.connect(path)) as live:
        with contextlib.closing(sqlite3.connect(tmp_path / "backup")) as backup:
            live.backup(backup)
    post_from(sqlite_server, sender, 100, 150)
    sqlite_server.stop()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup", path)

    sqlite_server.start()
    post_from(sqlite_server, sender, 150, 300)
    sqlite_server.stop()

    taken = {str(n) for n in (*range(1, 101), *range(151, 301))}
    assert counted_sqlite(path) == {sender.source_id: Counter(dict.fromkeys(taken, 1))}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT missing, gap_reports FROM source_stream").fetchone()
    assert row == ("101-150", 50)


def test_bodies_that_lie_are_refused_and_do_no_harm(sqlite_server: ServerProcess) -> None:
    """Truncated, oversized, bomb, no gzip, deeply nested, lying: 4xx, and the next one is taken."""
    sqlite_server.settings["KIEMKE_MAX_BATCH_BYTES"] = "65536"
    sqlite_server.settings["KIEMKE_MAX_INFLATED_BYTES"] = "1000000"
    (sender, other) = add_senders(sqlite_server.database_url, 2)
    sqlite_server.start()
    good = sender.post(events(sender, 1, 3), round(time.time() * 1000))
    headers = sender.headers()
    no_coding = {k: v for k, v in headers.items() if k != "Content-Encoding"}
    cases = {
        "truncated": (good[: len(good) // 2], headers),
        "not gzip": (b"hello", headers),
        "no coding": (good, no_coding),
        "empty": (b"", headers),
        "trailing": (good + b"more", headers),
        "oversized": (os.urandom(70_000), headers),
        "bomb": (gzip.compress(bytes(30_000_000)), headers),
        "nested": (gzip.compress(b'{"a":' * 90_000), headers),
        "not a batch": (gzip.compress(b'"hi"'), headers),
        "another's name": (other.post(events(other, 1, 1)), headers),
        "wrong secret": (good, {**headers, "Authorization": "Bearer nonsense"}),
        "unknown source": (good, {**headers, "X-Kiemke-Source": "' OR 1=1 --"}),
        "nobody": (good, {"Content-Encoding": "gzip"}),
    }

    statuses = {}
    for name, (body, sent) in cases.items():
        status, data, got = sqlite_server.request("POST", "/api/v1/reports", body, sent)
        statuses[name] = status
        assert got["content-type"].startswith("application/problem+json"), (name, data)
        assert json.loads(data)["status"] == status
    get = sqlite_server.request("GET", "/api/v1/reports", b"", headers)
    taken = sqlite_server.request("POST", "/api/v1/reports", good, headers)

    assert statuses == {
        "truncated": 400,
        "not gzip": 400,
        "no coding": 400,
        "empty": 400,
        "trailing": 400,
        "oversized": 413,
        "bomb": 413,
        "nested": 400,
        "not a batch": 400,
        "another's name": 422,
        "wrong secret": 401,
        "unknown source": 401,
        "nobody": 401,
    }
    assert get[0] == 405
    assert taken[0] == 200
    assert json.loads(taken[1])["ack"] == {str(sender.stream): 3}
