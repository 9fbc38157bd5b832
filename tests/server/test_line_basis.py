"""What a line's figures rest on, what would make them better, and the sum of a site's PCs."""

import json
from datetime import date
from typing import Any

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import links_now
from kiemke.server.domain.link_hints import hint_of
from kiemke.server.domain.links_now import basis_of
from kiemke.server.domain.pc_sums import PcSums, Rate, carriers, rate_between, read_sample
from tests.support.office import Office
from tests.support.reporting import NOW_MS, add_source, add_unit, insert

MINUTE = 60_000
PLAIN: dict[str, Any] = {
    "kind": "internet", "basis": None, "device": None, "interface_name": None, "outcome": None,
    "has_port": False, "probes": False, "rate_at_ms": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "hint"),
    [
        ({}, "probe"),
        ({"probes": True, "basis": "probes_only"}, "ask_modem"),
        ({"probes": True, "basis": "pcs_lower_bound"}, "ask_modem"),
        ({"kind": "police"}, None),
        ({"basis": "counters", "device": "D"}, None),
        ({"basis": "igd", "device": "D", "rate_at_ms": 1}, None),
        ({"basis": "igd", "device": "D"}, "count_wider"),
        ({"device": "D", "outcome": "timeout"}, "device_silent"),
        ({"device": "D", "outcome": "ok"}, "name_port"),
        ({"device": "D", "outcome": "ok", "interface_name": "wan"}, "port_unknown"),
        ({"device": "D", "outcome": "ok", "interface_name": "wan", "has_port": True}, None),
        ({"device": "D", "interface_name": "wan"}, None),
    ],
)
def test_the_hint_is_the_cheapest_thing_to_do(told: dict[str, Any], hint: str | None) -> None:
    assert hint_of({**PLAIN, **told}) == hint


def test_counters_of_a_modem_are_its_own_report_and_a_rate_alone_is_the_pcs_sum() -> None:
    row = {"asked_with": "default", "rate_at_ms": None, "has_port": False}

    assert basis_of("counters", row, 5) == "counters"
    assert basis_of("counters", {**row, "asked_with": "upnp"}, 5) == "igd"
    assert basis_of("probes_only", {**row, "rate_at_ms": 9}, 5) == "pcs_lower_bound"
    assert basis_of("probes_only", {**row, "rate_at_ms": 4}, 5) == "probes_only"
    assert basis_of(None, row, 5) is None


def test_a_line_with_a_port_is_counted_from_its_first_rate_on() -> None:
    """No slot of its first five minutes is over, and its totals are counters all the same."""
    row = {"asked_with": "default", "rate_at_ms": 9, "has_port": True}

    assert basis_of(None, row, 5) == basis_of("probes_only", row, 5) == "counters"
    assert basis_of(None, {**row, "asked_with": "upnp"}, 5) == "igd"
    assert basis_of("probes_only", {**row, "rate_at_ms": 4}, 5) == "probes_only"


def test_a_pcs_rate_is_that_of_its_busiest_adapter_and_never_of_a_counter_that_began_anew() -> None:
    before = (0, {"eth0": (1000, 50), "wifi": (5, 5), "tun0": (90, 90)})
    after = (MINUTE, {"eth0": (601_000, 6050), "wifi": (5, 5), "tun0": (0, 0)})

    assert rate_between(before, after) == Rate(MINUTE, 80_000.0, 800.0)
    assert rate_between(after, before) is None
    assert rate_between(before, (MINUTE, {"tun0": (1, 1)})) is None
    assert rate_between(before, (12 * MINUTE, after[1])) is None
    for text in ("", "[]", "{}", '{"at_ms": 1, "adapters": [{"name": "x"}]}'):
        assert read_sample(text) is None


def test_pcs_count_for_the_one_line_their_unit_uses_or_for_none() -> None:
    parents = {1: None, 2: 1, 3: 1, 4: 3, 5: None}
    users = {1: {10}, 3: {10, 11}, 5: {12}}

    assert carriers(parents, users, {10, 12}) == {1: 10, 2: 10, 5: 12}
    assert carriers(parents, users, {12}) == {5: 12}
    assert carriers({1: 2, 2: 1}, {}, {10}) == {}


async def add_line(session: Session, unit: int, code: str, **fields: Any) -> int:
    """Add a line of a unit since 2020."""
    link = await insert(session, "link", code=code, created_at_ms=0)
    await insert(
        session, "link_version", valid_from=date(2020, 1, 1), recorded_at_ms=0, link_id=link,
        unit_id=unit, name="FTTH", kind="internet", **fields,
    )  # fmt: skip
    return link


async def no_guard(_: Session) -> None:
    """Let every transaction be."""


async def sample(database: Database, source: int, at_ms: int, octets: int) -> None:
    """Keep a sample as ingest does."""
    adapters = [{"name": "eth0", "receive_octets": octets, "transmit_octets": octets // 10}]
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source_now SET last_sample_json = :text, last_received_at_ms = :at"
            " WHERE source_id = :source",
            text=json.dumps({"at_ms": at_ms, "adapters": adapters}),
            at=at_ms,
            source=source,
        )


async def test_a_line_without_counters_is_told_the_sum_of_its_pcs_as_a_lower_bound(
    database: Database,
) -> None:
    installed = Office()
    installed.add_installation()
    await installed.write_to(database)
    async with database.transaction() as session:
        commune = await add_unit(session, "XA")
        office = await add_unit(session, "VP", commune)
        elsewhere = await add_unit(session, "XB")
        link = await add_line(session, commune, "L1")
        other = await add_line(session, elsewhere, "L2")
    pcs = [await add_source(database, unit=unit) for unit in (commune, office, elsewhere)]
    sums = PcSums(database)
    for turn in range(2):
        for number, pc in enumerate(pcs[:2], 1):
            at = NOW_MS + turn * 5 * MINUTE
            await sample(database, pc.source_id, at, turn * number * 3_750_000)
        await sums.run(NOW_MS + turn * 5 * MINUTE, no_guard)

    now = NOW_MS + 5 * MINUTE
    await links_now.refresh_now(database, now, 60.0)
    rows = {row["link_id"]: row for row in await database.read("SELECT * FROM link_now")}
    assert rows[link]["receive_bits_per_second"] == 300_000
    assert rows[link]["transmit_bits_per_second"] == 30_000
    assert (rows[link]["basis"], rows[link]["p95_receive_ppm"]) == ("pcs_lower_bound", None)
    assert rows[link]["receive_octets_total"] == "0"
    assert rows[other]["basis"] is None and rows[other]["rate_at_ms"] is None

    assert await sums.run(now + 30 * MINUTE, no_guard) == 0, "old samples say nothing of now"
