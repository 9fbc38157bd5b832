"""A real Prometheus scrapes a running server; PromQL gives the figures that were put in."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiemke.server.auth_users import add_user, issue_token
from kiemke.server.db import Database
from kiemke.wire.report import InterfaceReading, Interfaces, Report
from tests.server.test_metrics import add_link
from tests.support.database import fresh_url
from tests.support.office import RECORDED_MS, Office
from tests.support.peers import wait_until
from tests.support.prometheus import PrometheusPeer
from tests.support.reporting import Sender
from tests.support.server_process import SERVER_NAME, ServerProcess

RATE = 10_000_000  # bits per second of live traffic, a tenth of the contract
STEP_MS = 2_000
WEEK_OF_SLOTS = 288 * 7


def recent_working_day() -> datetime:
    """Return the last Monday-to-Friday before today, local."""
    day = datetime.now(UTC) + timedelta(hours=7) - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return day


def make_line_office() -> tuple[Office, int]:
    """Return an office of four officials (two verified, one unmatched, one without) and one line."""
    office = Office()
    office.add_installation()
    unit = office.add_unit(name='Phòng "Một cửa"')
    for _ in range(2):
        office.add_verified_pc(unit, office.add_official(unit), recent_working_day().date())
    office.add_pc(unit, office.add_official(unit))
    office.add_official(unit)
    collector = office.add_source(unit, kind="collector")
    device = office.add(
        "device", code="R1", name="R1", search_key="r1", kind="router", unit_id=unit, asset_id=None,
        collector_id=collector, address="192.0.2.1", port=161, credential=None,
        created_at_ms=RECORDED_MS, retired_at_ms=None,
    )  # fmt: skip
    add_link(office, unit)
    office.waiting["link_version"][0].update(device_id=device, interface_name="wan")
    return office, collector


def reading(sender: Sender, at_ms: int, octets: int) -> Report:
    """Return one poll of the line's port."""
    row = InterfaceReading(
        index=1, name="wan", oper_up=True, speed_bits_per_second=1_000_000_000, counter_bits=64,
        in_octets=octets, out_octets=octets,
    )  # fmt: skip
    uptime_seconds = (at_ms - sender.booted_ms) / 1000
    return sender.report("interfaces", Interfaces(1, "ok", uptime_seconds, (row,)), at_ms)


async def seed(url: str, sender: Sender) -> str:
    """Write the office, give the collector its secret, and return a scrape token."""
    office, collector = make_line_office()
    source = office.waiting["source"][collector - 1]
    source["public_id"] = sender.source
    source["secret_sha256"] = hashlib.sha256(sender.secret.encode()).hexdigest()
    database = Database(url)
    await database.open()
    try:
        await office.write_to(database)
        now_ms = time.time_ns() // 1_000_000
        async with database.transaction() as session:
            user = await add_user(
                session, name="grafana", password_hash="-", role="viewer", unit_id=None, who="test",
                now_ms=now_ms,
            )  # fmt: skip
            made = await issue_token(
                session, user_id=user, kind="scrape", label=None, now_ms=now_ms, hours=24
            )
    finally:
        await database.close()
    return made.token


def scrape_config(server: ServerProcess, token: str) -> dict[str, object]:
    """Return a Prometheus configuration that scrapes both endpoints each second."""
    common = {
        "scheme": "https",
        "authorization": {"credentials": token},
        "tls_config": {
            "ca_file": str(server.data_dir / "ca" / "root.pem"),
            "server_name": SERVER_NAME,
        },
        "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}],
    }
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "fleet", "metrics_path": "/metrics/fleet", **common},
            {"job_name": "process", "metrics_path": "/metrics", **common},
        ],
    }


def post(server: ServerProcess, sender: Sender, reports: list[Report]) -> None:
    """Send reports now; they must be taken."""
    sent_ms = time.time_ns() // 1_000_000
    body = sender.post(reports, sent_ms)
    status, answer, _ = server.request("POST", "/api/v1/reports", body, sender.headers())
    assert status == 200, answer


async def test_promql_gives_the_figures_put_in_while_a_late_week_arrives(
    tmp_path: Path, prometheus: Callable[..., PrometheusPeer]
) -> None:
    """A week of late data landing at once must not look like traffic of this minute."""
    sender = Sender(source="collector-1", kind="collector")
    sender.booted_ms = time.time_ns() // 1_000_000 - 30 * 86_400_000
    async with fresh_url("sqlite", tmp_path, None) as url:
        token = await seed(url, sender)
        server = ServerProcess(tmp_path / "data", url, {"KIEMKE_JOBS": "true"})
        with server:
            peer = await asyncio.to_thread(prometheus, scrape_config(server, token))
            await asyncio.to_thread(play, server, peer, sender)


def play(server: ServerProcess, peer: PrometheusPeer, sender: Sender) -> None:
    """Send live readings with a late week between them, then ask."""
    octets, live = 10**12, 0
    late = Sender("collector-1", "collector", secret=sender.secret, boot_id=sender.boot_id)
    late.booted_ms = sender.booted_ms
    now_ms = time.time_ns() // 1_000_000
    for step in range(6):
        post(server, sender, [reading(sender, now_ms, octets)])
        if step == 2:
            first_ms = now_ms - 8 * 86_400_000
            week = [
                reading(late, first_ms + slot * 300_000, slot * 3 * 10**8)
                for slot in range(WEEK_OF_SLOTS)
            ]
            for start in range(0, len(week), 500):
                post(server, late, week[start : start + 500])
        if step < 5:
            time.sleep(max(0.0, STEP_MS / 1000 - (time.time_ns() // 1_000_000 - now_ms) / 1000))
            before_ms, now_ms = now_ms, time.time_ns() // 1_000_000
            elapsed_ms = now_ms - before_ms
            octets += RATE * elapsed_ms // 8000
            live += RATE * elapsed_ms // 8000

    wait_until(
        lambda: peer.value('kiemke_link_receive_bytes_total{link="1"}') == live,
        f"Prometheus has the total of the live intervals, {live}",
    )
    assert peer.soon('kiemke_link_up{link="1"}') == 1
    used = peer.soon('kiemke_link_utilization_ratio{link="1",direction="receive"}')
    assert abs(used - 0.1) < 0.01
    peak = peer.soon("max_over_time((8 * rate(kiemke_link_receive_bytes_total[5s]))[1m:1s])")
    assert 0 < peak < 5 * RATE

    ratio = "kiemke_subtree_equipment_coverage_ratio"
    assert peer.soon(f'{ratio}{{unit="1",basis="declared"}}') == 0.75
    assert peer.soon(f'{ratio}{{unit="1",basis="verified"}}') == 0.5
    assert peer.soon('sum(kiemke_officials{unit="1"})') == 4
    named = f'{ratio}{{basis="verified"}} * on (unit) group_left(name) kiemke_unit_info'
    wait_until(
        lambda: [v for k, v in peer.query(named).items() if 'name=Phòng "Một cửa"' in k] == [0.5],
        "the unit's ratio beside its name",
    )
    wait_until(
        lambda: peer.value('sum(kiemke_ingest_reports_total{job="process"})') == 6 + WEEK_OF_SLOTS,
        "the process's own scrape counts every report once",
    )
    wait_until(lambda: peer.value("min(up)") == 1, "both are scraped")
