"""Both metrics endpoints: what they say, to whom, when they fall silent, and how they are formed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import coverage, coverage_figures
from kiemke.server.metrics.fleet import Fleet
from kiemke.server.metrics.text import label, number
from tests.support.api import Api, make_office, running_api
from tests.support.office import MOMENT_MS, TUESDAY, Office
from tests.support.prometheus import lint_metrics

POLL_SECONDS = 60.0


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_ms = MOMENT_MS

    def __call__(self) -> int:
        return self.now_ms


def samples(text: str) -> dict[str, str]:
    """Return {series as written: value} of a text."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = dict(line.rpartition(" ")[::2] for line in lines)
    assert len(found) == len(lines), "a series stands twice"
    return found


def add_link(office: Office, unit: int, name: str = "Đường truyền", **columns: Any) -> int:
    """Queue a line of 100 Mbit/s."""
    link = office.add("link", code=f"L{office.ids['link'] + 1}", created_at_ms=0)
    plain = {"down_bits_per_second": 100_000_000, "up_bits_per_second": 50_000_000}
    office.add_dated(
        "link_version",
        link_id=link,
        unit_id=unit,
        device_id=None,
        interface_name=None,
        name=name,
        kind="internet",
        provider=None,
        contract_number=None,
        price_dong=None,
        payer=None,
        **{**plain, **columns},
    )
    return link


def add_now(office: Office, link: int, at_ms: int, **columns: Any) -> None:
    """Queue the live row of a line whose every evidence is of one moment."""
    office.waiting["link_now"].append(
        {
            "link_id": link,
            "state": "up",
            "state_at_ms": at_ms,
            "receive_octets_total": "18446744073709551615",
            "transmit_octets_total": "7",
            "receive_bits_per_second": 25_000_000,
            "transmit_bits_per_second": 5_000_000,
            "rate_at_ms": at_ms,
            "negotiated_bits_per_second": 1_000_000_000,
            "rtt_seconds": 0.0125,
            "jitter_seconds": 0.001,
            "loss_ppm": 0,
            "probe_at_ms": at_ms,
            "verdict": "healthy",
            "reasons_json": "[]",
            "p95_receive_ppm": 930_000,
            "changed_at_ms": at_ms,
            **columns,
        }
    )


async def refreshed(database: Database, office: Office, now_ms: int = MOMENT_MS) -> None:
    """Write an office and recount it."""
    await office.write_to(database)
    await coverage.refresh_now(database, now_ms)
    await coverage_figures.refresh_now(database, now_ms)


async def test_coverage_is_told_for_a_unit_and_for_its_subtree(database: Database) -> None:
    office = Office()
    office.add_installation()
    root = office.add_unit()
    commune = office.add_unit(root)
    for _ in range(3):
        office.add_verified_pc(commune, office.add_official(commune))
    office.add_official(commune, "can_bo")
    office.add_dated(
        "coverage_target",
        unit_id=root,
        measure="coverage",
        kinds="cong_chuc",
        target_thousandths=900,
        source_text=None,
    )
    await refreshed(database, office)

    told = samples(await Fleet(database, POLL_SECONDS, Clock()).render())

    assert told[f'kiemke_officials{{unit="{commune}",kind="cong_chuc"}}'] == "3"
    assert told[f'kiemke_officials_by_state{{unit="{commune}",state="no_pc"}}'] == "1"
    assert told[f'kiemke_officials{{unit="{root}",kind="cong_chuc"}}'] == "0"
    assert told[f'kiemke_subtree_officials{{unit="{root}"}}'] == "3"
    assert told[f'kiemke_subtree_officials{{unit="{commune}"}}'] == "4"
    ratio = "kiemke_subtree_equipment_coverage_ratio"
    assert told[f'{ratio}{{unit="{commune}",basis="verified"}}'] == "0.75"
    assert told[f'{ratio}{{unit="{root}",basis="verified"}}'] == "1"
    assert told[f'kiemke_equipment_coverage_target_ratio{{unit="{root}"}}'] == "0.9"
    assert told[f'kiemke_evidence_age_working_days{{unit="{root}"}}'] == "0"
    assert told[f'kiemke_assets{{unit="{commune}",kind="desktop",status="in_use"}}'] == "3"
    assert f'{ratio}{{unit="{root}",basis="declared"}}' in told


async def test_a_line_falls_silent_when_its_evidence_is_old(database: Database) -> None:
    """The last value is not the present one: the series ends, and known says so."""
    office = Office()
    office.add_installation()
    link = add_link(office, office.add_unit())
    add_now(office, link, MOMENT_MS)
    await refreshed(database, office)
    clock = Clock()
    fleet = Fleet(database, POLL_SECONDS, clock)

    live = samples(await fleet.render())
    clock.now_ms += 181_000
    later = samples(await fleet.render())

    assert live[f'kiemke_link_up{{link="{link}"}}'] == "1"
    assert live[f'kiemke_link_known{{link="{link}"}}'] == "1"
    assert live[f'kiemke_link_utilization_ratio{{link="{link}",direction="receive"}}'] == "0.25"
    assert live[f'kiemke_link_utilization_ratio{{link="{link}",direction="transmit"}}'] == "0.1"
    assert live[f'kiemke_link_receive_bytes_total{{link="{link}"}}'] == "18446744073709551615"
    assert live[f'kiemke_link_round_trip_seconds{{link="{link}"}}'] == "0.0125"
    assert later[f'kiemke_link_known{{link="{link}"}}'] == "0"
    assert f'kiemke_link_up{{link="{link}"}}' not in later
    assert not [name for name in later if name.startswith("kiemke_link_utilization_ratio")]
    assert not [name for name in later if name.startswith("kiemke_link_round_trip")]
    assert f'kiemke_link_receive_bytes_total{{link="{link}"}}' in later
    assert f'kiemke_link_utilization_p95_ratio{{link="{link}",direction="receive"}}' in later


async def test_a_line_never_read_has_no_total(database: Database) -> None:
    """A counter that begins at 0 would make its first real value look like traffic."""
    office = Office()
    office.add_installation()
    link = add_link(office, office.add_unit())
    add_now(office, link, MOMENT_MS, rate_at_ms=None)
    await refreshed(database, office)

    told = samples(await Fleet(database, POLL_SECONDS, Clock()).render())

    assert f'kiemke_link_receive_bytes_total{{link="{link}"}}' not in told


async def test_a_scrape_shows_what_was_committed_before_it(database: Database) -> None:
    office = Office()
    office.add_installation()
    unit, other = office.add_unit(), office.add_unit()
    office.add_official(unit)
    await refreshed(database, office)
    clock = Clock()
    fleet = Fleet(database, POLL_SECONDS, clock)
    await fleet.render()

    office.add_official(other)
    clock.now_ms += 1
    await refreshed(database, office, clock.now_ms)
    told = samples(await fleet.render())

    assert told[f'kiemke_subtree_officials{{unit="{unit}"}}'] == "1"
    assert told[f'kiemke_subtree_officials{{unit="{other}"}}'] == "1"


async def test_a_unit_that_is_no_more_has_no_series(database: Database) -> None:
    office = Office()
    office.add_installation()
    gone = office.add_unit(valid_to=TUESDAY.replace(day=12))
    stays = office.add_unit()
    await refreshed(database, office)
    clock = Clock()
    fleet = Fleet(database, POLL_SECONDS, clock)
    before = samples(await fleet.render())

    clock.now_ms += 2 * 86_400_000
    await coverage.refresh_now(database, clock.now_ms)
    after = samples(await fleet.render())

    assert f'kiemke_subtree_officials{{unit="{gone}"}}' in before
    assert not [name for name in after if f'unit="{gone}"' in name]
    assert f'kiemke_subtree_officials{{unit="{stays}"}}' in after


async def test_a_token_of_a_unit_sees_its_subtree_alone(database: Database) -> None:
    office = Office()
    office.add_installation()
    root = office.add_unit()
    mine, other = office.add_unit(root), office.add_unit(root)
    below = office.add_unit(mine)
    for unit in (mine, other, below):
        add_now(office, add_link(office, unit), MOMENT_MS)
        office.add_source(unit, heard_ms=MOMENT_MS)
    await refreshed(database, office)

    told = samples(await Fleet(database, POLL_SECONDS, Clock()).render((mine,)))

    units = {name.split('unit="')[1].split('"')[0] for name in told if 'unit="' in name}
    assert units == {str(mine), str(below)}
    assert len([name for name in told if name.startswith("kiemke_link_up")]) == 2


async def test_series_above_the_budget_are_left_out_and_counted(database: Database) -> None:
    office = Office()
    office.add_installation()
    for _ in range(5):
        office.add_unit()
    office.add_dated("rule", name="fleet_series_max", subject="", value_json="30", source_text=None)
    await refreshed(database, office)

    told = samples(await Fleet(database, POLL_SECONDS, Clock()).render())

    dropped = int(told["kiemke_fleet_dropped_series"])
    assert dropped > 0
    assert len(told) <= 30 + 2
    assert int(told["kiemke_fleet_series"]) == len(told)


async def test_agents_have_no_series_each_in_a_large_fleet(database: Database) -> None:
    office = Office()
    office.add_installation()
    unit = office.add_unit()
    agents = [office.add_source(unit, heard_ms=MOMENT_MS) for _ in range(3)]
    collector = office.add_source(unit, kind="collector", heard_ms=MOMENT_MS)
    office.add_dated(
        "rule", name="machine_series_max", subject="", value_json="2", source_text=None
    )
    await refreshed(database, office)

    told = samples(await Fleet(database, POLL_SECONDS, Clock()).render())

    heard = [name for name in told if name.startswith("kiemke_source_last_report")]
    assert len(agents) == 3
    assert [f'source="{collector}"' in name for name in heard] == [True]


async def test_hostile_names_stay_inside_their_label(database: Database) -> None:
    office = Office()
    office.add_installation()
    office.add_unit(name='x"} 1\nkiemke_fake 9 \\ \u202e\x1b[31m')
    await refreshed(database, office)

    text = await Fleet(database, POLL_SECONDS, Clock()).render()

    assert not [line for line in text.splitlines() if line.startswith("kiemke_fake")]
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert 'name="x\\"} 1\\nkiemke_fake 9 \\\\ ' in text


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), ('"', '\\"'), ("\\n", "\\\\n"), ("\r", "\ufffd"), ("ữ", "ữ")]
)
def test_a_label_is_escaped(value: str, text: str) -> None:
    assert label(value) == text


def test_numbers_are_written_whole_or_with_all_their_digits() -> None:
    assert [number(2**64), number(0.1), number(1 / 3)] == [
        "18446744073709551616",
        "0.1",
        "0.3333333333333333",
    ]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        add_now(office, 1, MOMENT_MS)
        await running.write(office)
        yield running


async def test_promtool_finds_no_fault_with_either_endpoint(api: Api) -> None:
    await coverage.refresh_now(api.services.db, api.clock.now_ms)
    await coverage_figures.refresh_now(api.services.db, api.clock.now_ms)
    async with api.client(await api.token("viewer", kind="scrape")) as client:
        fleet = await client.get("/metrics/fleet")
        process = await client.get("/metrics")

    assert (fleet.status_code, process.status_code) == (200, 200)
    assert fleet.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "kiemke_link_up" in fleet.text
    assert "kiemke_ingest_reports_total" in process.text
    assert lint_metrics(fleet.text) == ""
    assert lint_metrics(process.text) == ""


async def test_metrics_are_for_scrape_tokens_alone(api: Api) -> None:
    async with api.client() as stranger, await api.signed_in("admin") as admin:
        for path in ("/metrics", "/metrics/fleet"):
            assert (await stranger.get(path)).status_code == 401
            assert (await admin.get(path)).status_code == 403
